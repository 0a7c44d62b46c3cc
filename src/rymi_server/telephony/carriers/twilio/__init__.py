"""Twilio. Knows no other carrier."""

"""Vonage. Knows no other carrier."""

"""Plivo. Knows no other carrier."""

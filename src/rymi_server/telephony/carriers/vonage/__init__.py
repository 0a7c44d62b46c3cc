"""Vonage. The only package that knows its words."""

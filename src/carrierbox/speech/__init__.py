"""Turns the lines of a script into telephone audio."""

"""Writes a call down as sound, while it happens, so that nothing but its last second can be lost."""

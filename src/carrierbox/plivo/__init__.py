"""Plivo: its REST, its signed form callbacks, its XML, and its audio streams."""

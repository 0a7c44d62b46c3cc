"""Tells the API what happens in a call, so that no outage and no death of a process loses a line of it."""

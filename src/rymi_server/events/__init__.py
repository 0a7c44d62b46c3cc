"""The event log of a call."""

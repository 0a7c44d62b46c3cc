"""roomlet: a LiveKit-compatible room server for one machine, in one process. It knows nothing of who uses it."""

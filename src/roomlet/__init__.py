"""A LiveKit-compatible room server for one machine. It knows nothing of `rymi_server`."""

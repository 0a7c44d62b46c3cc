"""LiveKit: the only package that names, enters or closes a room."""

"""The platform: calls, and everything a call needs. Its layers are held by the contracts in `pyproject.toml`."""

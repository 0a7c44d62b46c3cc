"""Fetches models of local engines ahead of time: each file with its size and checksum, whole or not at all."""

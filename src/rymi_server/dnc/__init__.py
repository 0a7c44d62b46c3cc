"""The Do-Not-Call list."""

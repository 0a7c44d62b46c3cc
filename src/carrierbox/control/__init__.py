"""The tester's own door: what goes on, what to do with it, and what to break."""

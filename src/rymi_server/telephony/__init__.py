"""Phone legs: how a number becomes a participant."""

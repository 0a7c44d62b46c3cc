"""What carriers ask and tell us. Not a part of the public API: carriers are given the addresses."""

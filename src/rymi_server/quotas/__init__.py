"""How often a tenant may ask, and how many calls it may hold at once."""

"""A call as it is seen from outside. Reads only."""

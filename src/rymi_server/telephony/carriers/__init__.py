"""Phone companies. Each has a folder of its own and a line in `registry`; none knows another."""

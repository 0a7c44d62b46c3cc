"""A phone call as every carrier has it: its life, its two ends, and what the application does with it."""

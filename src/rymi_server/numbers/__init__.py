"""Phone numbers that a tenant has registered, and the agent behind each."""

"""What was heard in a call, and where it is kept."""

"""What was said in a call, line by line."""

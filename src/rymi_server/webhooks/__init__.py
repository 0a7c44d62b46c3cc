"""What customers are told, and where."""

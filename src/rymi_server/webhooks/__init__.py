"""Where customers want to be told."""

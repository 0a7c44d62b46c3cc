"""What an analysis found in a call."""

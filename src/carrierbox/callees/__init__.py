"""The person, or the machine, at the far end of the line: what they do when it rings and what they say."""

"""A call and its participants."""

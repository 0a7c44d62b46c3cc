"""Sound as bytes and samples: 16 bit, mono unless something else is said. It needs numpy, and knows no call."""

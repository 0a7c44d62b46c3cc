"""The public edge: who asks, what they sent, what they are answered."""

"""What lies between carrier and phone: G.711 audio in frames of 20 ms, tones, play-out and bad lines."""

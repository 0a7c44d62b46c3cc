"""What our own processes, and LiveKit, ask of the API. No part of the public API, and in none of its documents."""

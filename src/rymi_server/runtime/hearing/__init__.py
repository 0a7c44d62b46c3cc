"""Who speaks in the room, what they said, and whose turn it is to be answered. Knows no room and no engine."""

"""The phone bridge: a carrier's media socket on one side, a participant of the room on the other."""

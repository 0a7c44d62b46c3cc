"""When somebody's turn begins and ends. Pure: fed with audio and words, it reads no clock and no socket."""

"""The recogniser that needs nothing: pocketsphinx, told what the agent talks about. English; a demonstration."""

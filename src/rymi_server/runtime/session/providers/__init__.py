"""Engines of other companies, through their livekit-agents plugins, as our own ears and voices."""

"""Vonage: its REST and applications, its JSON webhooks with signed tokens, NCCO, and binary WebSocket audio."""

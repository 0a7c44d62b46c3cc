"""Twilio: its REST, its signed form callbacks, TwiML, and Media Streams."""

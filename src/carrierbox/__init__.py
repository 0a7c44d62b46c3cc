"""Twilio, Plivo and Vonage on one machine. It knows nothing of `rymi_server`."""

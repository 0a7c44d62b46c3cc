"""API keys: secret ones for servers, publishable ones for browsers."""

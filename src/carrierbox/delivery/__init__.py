"""Takes callbacks to the application, and breaks things on demand on the way."""

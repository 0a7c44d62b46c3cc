"""After the last person has left."""

"""`/talk`: a page on which people talk to an agent, and what it asks of us. Not a part of the API."""

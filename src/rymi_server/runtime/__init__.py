"""The agent in the room. It knows no database: it is briefed by the API, and reports to it."""

"""What can be wrong with asking for an agent."""

from rymi_server.foundation.errors import NotFound


class UnknownAgent(NotFound):
    def __init__(self) -> None:
        super().__init__("Agent not found")

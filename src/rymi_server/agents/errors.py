"""What can be wrong with asking for an agent."""

from rymi_server.foundation.errors import NotFound, Refused


class UnknownAgent(NotFound):
    def __init__(self) -> None:
        super().__init__("Agent not found")


class InvalidPostCall(Refused):
    status, code = 400, "validation_error"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}", details=[{"field": field, "message": message}])

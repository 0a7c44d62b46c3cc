"""Why a number is not registered, or cannot be."""

from rymi_server.foundation.errors import NotFound, Refused


class UnknownNumber(NotFound):
    def __init__(self) -> None:
        super().__init__("Phone number not found")


class NumberTaken(Refused):
    status, code = 409, "number_taken"

    def __init__(self) -> None:
        super().__init__("This number is registered by another account.")

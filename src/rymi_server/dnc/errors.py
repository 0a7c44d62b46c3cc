"""Why a number is not rung, or not found on the list."""

from collections.abc import Sequence

from rymi_server.foundation.errors import NotFound, Refused


class NumberOnDoNotCallList(Refused):
    status, code = 409, "dnc_conflict"

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__("One or more numbers are on the Do-Not-Call list.", numbers=list(numbers))


class NotOnDoNotCallList(NotFound):
    def __init__(self) -> None:
        super().__init__("This number is not on the Do-Not-Call list")

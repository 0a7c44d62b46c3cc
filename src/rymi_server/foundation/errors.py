"""The two kinds of errors that are raised on purpose.

    RymiError
    ├── Refused      the asker can act on it; sending it again unchanged cannot help
    └── Unavailable  somebody outside failed us; `retryable` says whether trying again may help

Each situation has a class of its own, in the package whose rule it is. Anything else that is raised is a bug.
"""

from typing import Any, ClassVar


class RymiError(Exception):
    """Root of every error this server raises on purpose."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Refused(RymiError):
    """The request was understood and turned down."""

    status = 400
    code = "refused"

    def headers(self) -> dict[str, str]:
        """What the answer's headers must say besides the body."""
        return {}


class NotFound(Refused):
    """There is no such thing, or it belongs to another tenant, which is the same."""

    status, code = 404, "not_found"


class Invalid(Refused):
    """A value is of the wrong kind; `details` names each."""

    status, code = 400, "validation_error"

    def __init__(self, message: str, *, where: str | None = None) -> None:
        super().__init__(message, details=[{"field": where, "message": message}] if where else [])


class Unavailable(RymiError):
    """A carrier, LiveKit, a model or a store failed us."""

    status, code = 502, "unavailable"

    def __init__(self, message: str, *, retryable: bool, **details: Any) -> None:
        super().__init__(message, **details)
        self.retryable = retryable

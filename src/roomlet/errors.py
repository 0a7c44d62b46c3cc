"""What the server refuses, and how each refusal looks to an API caller.

`code` is Twirp's word and `status` the HTTP status that Twirp gives it; clients match on the code.
"""


class Refused(Exception):
    """The asker can act on it. The message is written to be read by them."""

    status = 400
    code = "invalid_argument"

    def __init__(self, message: str, meta: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.meta = meta or {}


class Unauthenticated(Refused):
    status, code = 401, "unauthenticated"


class NotPermitted(Refused):
    status, code = 403, "permission_denied"


class Malformed(Refused):
    status, code = 400, "malformed"


class InvalidArgument(Refused):
    pass


class NotFound(Refused):
    status, code = 404, "not_found"


class UnknownRoute(Refused):
    status, code = 404, "bad_route"


class NotOffered(Refused):
    status, code = 501, "unimplemented"


class FailedPrecondition(Refused):
    status, code = 412, "failed_precondition"


class LimitReached(Refused):
    """A cap of this server. The message names the cap and what to do about it."""

    status, code = 429, "resource_exhausted"


class TimedOut(Refused):
    status, code = 408, "deadline_exceeded"


class Draining(Refused):
    status, code = 503, "unavailable"


class CallFailed(Refused):
    """The participant's own code answered a remote call with an error."""

    status, code = 500, "unknown"

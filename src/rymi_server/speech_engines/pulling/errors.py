"""Why a model did not come."""

from rymi_server.foundation.errors import Refused, Unavailable


class NothingToPull(Refused):
    status, code = 404, "no_such_model"


class PullFailed(Unavailable):
    code = "model_not_pulled"

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message, retryable=retryable)

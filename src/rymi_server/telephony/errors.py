"""What can be wrong with connecting a carrier."""

from rymi_server.foundation.errors import Refused, Unavailable
from rymi_server.quotas.errors import QuotaExceeded


class CarrierCredentialsWrong(Refused):
    """The carrier does not take these credentials."""

    status, code = 401, "carrier_credentials_invalid"


class TooManyConnectAttempts(QuotaExceeded):
    """Too many attempts to check carrier credentials."""

    code = "too_many_connect_attempts"

    def __init__(self, *, limit: int, retry_after_seconds: int) -> None:
        super().__init__(
            f"Credentials were checked {limit} times in five minutes. Try again in {retry_after_seconds} s.",
            limit=limit,
            retry_after_seconds=retry_after_seconds,
        )


class CarrierIsBusy(QuotaExceeded):
    """The carrier asks to slow down; nothing was changed."""

    code = "carrier_busy"
    _ASK_AGAIN_SECONDS = 10

    def __init__(self) -> None:
        super().__init__(
            "The carrier asks to slow down. Nothing was changed.",
            limit=0,
            retry_after_seconds=self._ASK_AGAIN_SECONDS,
        )


class CarrierCheckFailed(Unavailable):
    """The carrier could not be asked; nothing was changed."""

    status, code = 500, "carrier_check_failed"

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} Nothing was changed.", retryable=True)

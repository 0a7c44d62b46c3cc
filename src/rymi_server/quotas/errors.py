"""Too much at once."""

from rymi_server.foundation.errors import Refused


class QuotaExceeded(Refused):
    status, code = 429, "quota_exceeded"

    def __init__(self, message: str, *, limit: int, retry_after_seconds: int) -> None:
        super().__init__(message, limit=limit, retry_after_seconds=retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds

    def headers(self) -> dict[str, str]:
        return {"Retry-After": str(self.retry_after_seconds)}


class TooManyRequests(QuotaExceeded):
    code = "rate_limited"

    def __init__(self, *, limit: int, retry_after_seconds: int) -> None:
        super().__init__(
            f"More than {limit} requests in this minute. Try again in {retry_after_seconds} s.",
            limit=limit,
            retry_after_seconds=retry_after_seconds,
        )


class TooManyCalls(QuotaExceeded):
    # When a call ends is not ours to know; this is a polite interval to ask again.
    _ASK_AGAIN_SECONDS = 5

    def __init__(self, *, limit: int) -> None:
        super().__init__(
            f"This account's plan allows {limit} calls at a time.",
            limit=limit,
            retry_after_seconds=self._ASK_AGAIN_SECONDS,
        )

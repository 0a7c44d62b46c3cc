"""Why an endpoint is not registered, or not found."""

from rymi_server.foundation.errors import Invalid, NotFound


class UnknownWebhook(NotFound):
    def __init__(self) -> None:
        super().__init__("Webhook not found")


class UnsafeTarget(Invalid):
    """The URL is not one that we send customers' data to."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The webhook's URL {why}.", where="url")

"""Why an endpoint is not registered, or not found."""

from rymi_server.foundation.errors import Invalid, NotFound, Refused


class UnknownWebhook(NotFound):
    def __init__(self) -> None:
        super().__init__("Webhook not found")


class UnsafeTarget(Invalid):
    """The URL is not one that we send customers' data to."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The webhook's URL {why}.", where="url")


class UnknownDelivery(NotFound):
    def __init__(self) -> None:
        super().__init__("Delivery not found")


class DeliveryNotFinished(Refused):
    """It is still being tried; there is nothing to do again yet."""

    status, code = 409, "delivery_not_finished"

    def __init__(self) -> None:
        super().__init__("The delivery is still being tried.")


class TooManyWebhooks(Refused):
    """An account may have so many endpoints, because each event goes to all of them."""

    status, code = 409, "too_many_webhooks"

    def __init__(self, most: int) -> None:
        super().__init__(f"An account can have {most} webhooks.", limit=most)

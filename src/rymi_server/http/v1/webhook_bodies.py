"""What is sent to and answered by the webhooks page."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rymi_server.http.v1.fields import RequestBody, ResponseBody
from rymi_server.webhooks.catalog import EVERY, RESERVED
from rymi_server.webhooks.models import DeliveryStatus

# What any mail server would take is not ours to say; this finds what is surely a slip.
_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


def _known(name: str) -> str:
    if name not in EVERY:
        raise ValueError("there is no such event")
    return name


def _each_once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _mail(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise ValueError("this is not an e-mail address")
    return text


Url = Annotated[str, Field(min_length=1, max_length=2_048, description="A public https:// URL.")]
EventName = Annotated[str, Field(json_schema_extra={"enum": list(EVERY)}), AfterValidator(_known)]
Events = Annotated[
    list[EventName],
    Field(min_length=1, max_length=100, description=f"Accepted but not sent yet: {', '.join(RESERVED)}."),
    AfterValidator(_each_once),
]
Secret = Annotated[str, Field(min_length=16, max_length=256, description="Signs what is sent. Never shown again.")]
Email = Annotated[
    str,
    Field(max_length=254, description="Told when a delivery is given up, at most once an hour. Needs a mail server."),
    AfterValidator(_mail),
]


class NewWebhookBody(RequestBody):
    url: Url
    events: Events
    secret: Secret | None = Field(default=None, description="Made for you where there is none, and shown once.")
    alert_email: Email | None = None


class ChangedWebhookBody(RequestBody):
    """What is left out stays. Only `alert_email` can be taken back, with null."""

    # The defaults are never used: what was not sent is not changed.
    url: Url = Field(default_factory=str)
    events: Events = Field(default_factory=list)
    secret: Secret = Field(default_factory=str)
    alert_email: Email | None = None


# --- answers ---------------------------------------------------------------------------------------------------------


class WebhookBody(ResponseBody):
    id: str
    url: str
    events: list[str]
    alert_email: str | None
    created_at: str


class RegisteredWebhookBody(WebhookBody):
    status: Literal["registered"]
    secret: str | None = Field(default=None, description="Only where it was made here.")


class WebhookListBody(ResponseBody):
    webhooks: list[WebhookBody]
    total: int
    offset: int
    limit: int


class UpdatedWebhookBody(ResponseBody):
    status: Literal["updated"]
    id: str


class DeletedWebhookBody(ResponseBody):
    status: Literal["deleted"]
    id: str


class AttemptBody(ResponseBody):
    number: int
    begun_at: str
    took_ms: int
    status_code: int | None
    reply: str | None = Field(description="The first 4096 bytes of the answer.")
    error: str | None = Field(description="Why there was no answer.")


class ListedDelivery(ResponseBody):
    id: str
    webhook_id: str
    event_id: str
    event: str
    subject: str = Field(description="What it is about: of one subject, deliveries are made in order.")
    status: DeliveryStatus
    reason: str | None
    attempts: int
    next_attempt_at: str | None
    created_at: str
    finished_at: str | None


class DeliveryBody(ListedDelivery):
    body: str
    log: list[AttemptBody]


class DeliveryListBody(ResponseBody):
    deliveries: list[ListedDelivery]
    total: int
    offset: int
    limit: int


class QueuedDeliveryBody(ResponseBody):
    status: Literal["queued"]
    delivery_id: str

"""What an application asked Vonage for with a call."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from carrierbox.calls.call import Call
from carrierbox.calls.steps import Step
from carrierbox.vonage.applications import NOWHERE, NOWHERE_BY_GET, Webhook


@dataclass
class VonageTerms:
    application_id: str = ""
    answer: Webhook = NOWHERE_BY_GET
    fallback: Webhook = NOWHERE_BY_GET
    event: Webhook = NOWHERE
    steps: Sequence[Step] | None = None
    conversation_uuid: str = field(default_factory=lambda: f"CON-{uuid.uuid4()}")


def terms_of(call: Call) -> VonageTerms:
    assert isinstance(call.terms, VonageTerms)
    return call.terms

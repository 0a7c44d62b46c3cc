"""What an application asked Twilio for with a call."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from carrierbox.calls.call import Call

CALLBACK_EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass
class TwilioTerms:
    """Addresses and methods as they were given; empty where none was."""

    url: str = ""
    method: str = "POST"
    fallback_url: str = ""
    fallback_method: str = "POST"
    twiml: str = ""
    status_callback: str = ""
    status_method: str = "POST"
    status_events: frozenset[str] = frozenset({"completed"})
    async_amd_callback: str = ""
    async_amd_method: str = "POST"
    number_sid: str = ""
    direction: str = "outbound-api"
    sequence: Iterator[int] = field(default_factory=count, repr=False)


def terms_of(call: Call) -> TwilioTerms:
    assert isinstance(call.terms, TwilioTerms)
    return call.terms

"""What an application asked Plivo for with a call."""

from dataclasses import dataclass

from carrierbox.calls.call import Call


@dataclass
class PlivoTerms:
    """Addresses and methods as they were given; empty where none was."""

    answer_url: str = ""
    answer_method: str = "POST"
    fallback_url: str = ""
    fallback_method: str = "POST"
    ring_url: str = ""
    ring_method: str = "POST"
    hangup_url: str = ""
    hangup_method: str = "POST"
    machine_url: str = ""
    machine_method: str = "POST"


def terms_of(call: Call) -> PlivoTerms:
    assert isinstance(call.terms, PlivoTerms)
    return call.terms

"""TwiML."""

from rymi_server.telephony.carriers.carrier import Document, MediaOffer, Refusal
from rymi_server.telephony.carriers.media import TOKEN_PARAMETER
from rymi_server.telephony.carriers.xml import element, response, text


def connect(offer: MediaOffer) -> Document:
    """The token is a part of the path: Twilio refuses a stream address that has a query."""
    say = element("Say", inside=text(offer.say_first)) if offer.say_first else ""
    token = element("Parameter", {"name": TOKEN_PARAMETER, "value": offer.token})
    stream = element("Stream", {"url": offer.url, "statusCallback": offer.stream_status_url}, token)
    return response(say, element("Connect", inside=stream))


def refuse(refusal: Refusal) -> Document:
    return response(element("Reject", {"reason": refusal}))


def hang_up() -> Document:
    return response(element("Hangup"))


def forward(to_number: str, from_number: str | None) -> Document:
    caller = {"callerId": from_number} if from_number else {}
    return response(element("Dial", caller, text(to_number)), element("Hangup"))

"""Plivo XML."""

from rymi_server.telephony.carriers.carrier import Document, MediaOffer, Refusal
from rymi_server.telephony.carriers.media import TOKEN_PARAMETER
from rymi_server.telephony.carriers.xml import element, response, text

# The telephone network has 8 kHz; this is what it speaks, and what costs Plivo and us the least.
CONTENT_TYPE = "audio/x-mulaw;rate=8000"


def connect(offer: MediaOffer) -> Document:
    """Without `keepCallAlive` the call would end with the document, and the defaults of `contentType` contradict."""
    say = element("Speak", inside=text(offer.say_first)) if offer.say_first else ""
    stream = element(
        "Stream",
        {
            "bidirectional": "true",
            "keepCallAlive": "true",
            "contentType": CONTENT_TYPE,
            "audioTrack": "inbound",
            "statusCallbackUrl": offer.stream_status_url,
            "statusCallbackMethod": "POST",
            "extraHeaders": f"{TOKEN_PARAMETER}={offer.token}",
        },
        text(offer.url),
    )
    return response(say, stream)


def refuse(refusal: Refusal) -> Document:
    return response(element("Hangup", {"reason": refusal}))


def hang_up() -> Document:
    return response(element("Hangup"))


def forward(to_number: str, from_number: str | None) -> Document:
    caller = {"callerId": from_number.removeprefix("+")} if from_number else {}
    number = element("Number", inside=text(to_number.removeprefix("+")))
    return response(element("Dial", caller, number), element("Hangup"))

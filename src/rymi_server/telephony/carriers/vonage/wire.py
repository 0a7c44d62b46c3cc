"""Vonage's language, as the rest of the server needs it."""

from datetime import datetime

from rymi_server.telephony.carriers.carrier import (
    Credentials,
    Document,
    Incoming,
    LegReport,
    MediaOffer,
    Refusal,
    SignedRequest,
)
from rymi_server.telephony.carriers.hooks import Hook
from rymi_server.telephony.carriers.vonage import callbacks, documents, tokens


class VonageWire:
    """Keeps the promise `CarrierWire`."""

    def verifies(self, credentials: Credentials, request: SignedRequest, now: datetime) -> bool:
        return tokens.verifies(credentials, request, now)

    def verifies_socket(self, credentials: Credentials, request: SignedRequest, token: str, now: datetime) -> bool:
        return tokens.verifies_socket(credentials, request, token, now)

    def named_once(self, credentials: Credentials, request: SignedRequest) -> str | None:
        return tokens.named_once(credentials, request)

    def read_report(self, hook: Hook, request: SignedRequest) -> LegReport | None:
        return callbacks.read_report(hook, request)

    def read_incoming(self, request: SignedRequest) -> Incoming | None:
        return callbacks.read_incoming(request)

    def connect(self, offer: MediaOffer, credentials: Credentials) -> Document:
        return documents.connect(offer, is_signed=bool(credentials.signature_secret))

    def refuse(self, refusal: Refusal, words: str) -> Document:  # noqa: ARG002 - There is only one way.
        return documents.refuse(words)

    def hang_up(self) -> Document:
        return documents.hang_up()

    def forward(self, to_number: str, from_number: str | None) -> Document:
        return documents.forward(to_number, from_number)

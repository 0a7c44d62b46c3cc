"""Plivo's language, as the rest of the server needs it."""

from datetime import datetime

from rymi_server.telephony.carriers.carrier import (
    Credentials,
    Document,
    Hook,
    Incoming,
    LegReport,
    MediaOffer,
    Refusal,
    SignedRequest,
)
from rymi_server.telephony.carriers.plivo import callbacks, documents, signatures


class PlivoWire:
    """Keeps the promise `CarrierWire`."""

    def verifies(self, credentials: Credentials, request: SignedRequest, now: datetime) -> bool:  # noqa: ARG002
        return signatures.verifies(credentials.secret, request)

    def verifies_socket(
        self,
        credentials: Credentials,
        request: SignedRequest,
        token: str,  # noqa: ARG002 - It stands in the address, which is signed.
        now: datetime,  # noqa: ARG002
    ) -> bool:
        return signatures.verifies_socket(credentials.secret, request)

    def read_report(self, hook: Hook, request: SignedRequest) -> LegReport | None:
        return callbacks.read_report(hook, request)

    def read_incoming(self, request: SignedRequest) -> Incoming | None:
        return callbacks.read_incoming(request)

    def connect(self, offer: MediaOffer, credentials: Credentials) -> Document:  # noqa: ARG002
        return documents.connect(offer)

    def refuse(self, refusal: Refusal, words: str) -> Document:  # noqa: ARG002 - A rejected call costs nothing.
        return documents.refuse(refusal)

    def hang_up(self) -> Document:
        return documents.hang_up()

    def forward(self, to_number: str, from_number: str | None) -> Document:
        return documents.forward(to_number, from_number)

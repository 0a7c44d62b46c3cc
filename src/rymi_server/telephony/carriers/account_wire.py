"""The language of carriers that sign every request with the secret of the account and take documents in XML.

What they have in common is what they are asked with, and no word of what they say: that is each carrier's own.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

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


class Signatures(Protocol):
    def verifies(self, token: str, request: SignedRequest) -> bool: ...

    def verifies_socket(self, token: str, request: SignedRequest) -> bool: ...


class Callbacks(Protocol):
    def read_report(self, hook: Hook, request: SignedRequest) -> LegReport | None: ...

    def read_incoming(self, request: SignedRequest) -> Incoming | None: ...


class Documents(Protocol):
    def connect(self, offer: MediaOffer) -> Document: ...

    def refuse(self, refusal: Refusal) -> Document: ...

    def hang_up(self) -> Document: ...

    def forward(self, to_number: str, from_number: str | None) -> Document: ...


@dataclass(frozen=True, slots=True)
class AccountWire:
    """Keeps the promise `CarrierWire`."""

    signatures: Signatures
    callbacks: Callbacks
    documents: Documents

    def verifies(self, credentials: Credentials, request: SignedRequest, now: datetime) -> bool:  # noqa: ARG002 - No date is signed.
        return self.signatures.verifies(credentials.secret, request)

    def verifies_socket(
        self,
        credentials: Credentials,
        request: SignedRequest,
        token: str,  # noqa: ARG002 - It stands in the address, which is signed.
        now: datetime,  # noqa: ARG002 - No date is signed.
    ) -> bool:
        return self.signatures.verifies_socket(credentials.secret, request)

    def named_once(
        self,
        credentials: Credentials,  # noqa: ARG002 - As the next.
        request: SignedRequest,  # noqa: ARG002 - The same request that comes again is signed the same: it has no name.
    ) -> str | None:
        return None

    def read_report(self, hook: Hook, request: SignedRequest) -> LegReport | None:
        return self.callbacks.read_report(hook, request)

    def read_incoming(self, request: SignedRequest) -> Incoming | None:
        return self.callbacks.read_incoming(request)

    def connect(
        self,
        offer: MediaOffer,
        credentials: Credentials,  # noqa: ARG002 - The carrier signs its socket by itself.
    ) -> Document:
        return self.documents.connect(offer)

    def refuse(self, refusal: Refusal, words: str) -> Document:  # noqa: ARG002 - A rejected call costs nothing.
        return self.documents.refuse(refusal)

    def hang_up(self) -> Document:
        return self.documents.hang_up()

    def forward(self, to_number: str, from_number: str | None) -> Document:
        return self.documents.forward(to_number, from_number)

"""Where carriers find us. Every address holds a key that only we can make, beside whatever the carrier signs."""

import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rymi_server.foundation.ids import LegId
from rymi_server.telephony.carriers.hooks import AccountAddresses, Hook, LegAddresses

_SCHEMES = {"https": "wss", "http": "ws"}
_KEY_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class CarrierAddresses:
    """`public` is where carriers reach the API, `media` where they reach the gateway."""

    public: str
    media: str
    key: bytes = field(repr=False)

    @classmethod
    def under(cls, public_base_url: str, media_url: str | None, secret: str) -> "CarrierAddresses":
        """Without an address of its own the gateway is reached where the API is."""
        key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"rymi.carrier").digest()
        public = public_base_url.rstrip("/")
        return cls(public, (media_url or _as_socket(public)).rstrip("/"), key)

    def of_connection(self, provider: str, connection_id: str) -> AccountAddresses:
        at = f"{self.public}/carriers/{provider}/{connection_id}/{self.key_for(connection_id)}"
        return AccountAddresses(f"rymi {connection_id}", f"{at}/{Hook.ANSWER}", f"{at}/{Hook.STATUS}")

    def of_leg(self, provider: str, connection_id: str, leg_id: LegId) -> LegAddresses:
        key = self.key_for(f"{connection_id}/{leg_id}")
        at = f"{self.public}/carriers/{provider}/{connection_id}/legs/{leg_id}/{key}"
        return LegAddresses(*(f"{at}/{hook}" for hook in (Hook.ANSWER, Hook.STATUS, Hook.MACHINE, Hook.STREAM)))

    def of_media(self, provider: str, leg_id: LegId, token: str) -> str:
        """The token is in the path: not every carrier keeps a query."""
        return f"{self.media}/media/{provider}/{leg_id}/{token}"

    def key_for(self, subject: str) -> str:
        return hmac.new(self.key, f"address\0{subject}".encode(), hashlib.sha256).hexdigest()[:_KEY_CHARACTERS]

    def opens(self, subject: str, key: str) -> bool:
        return hmac.compare_digest(self.key_for(subject).encode(), key.encode())


def _as_socket(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{_SCHEMES.get(scheme, scheme)}://{rest}"


def why_unusable(public_base_url: str) -> str | None:
    """What carriers would not take about this address; None where they would."""
    at = urlsplit(public_base_url)
    if at.scheme not in _SCHEMES or not at.hostname:
        return "it is not an http or https address"
    if "_" in at.hostname:
        return "its host has an underscore, which Twilio refuses"
    if at.query or at.fragment:
        return "it has a query or a fragment"
    return None

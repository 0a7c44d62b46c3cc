"""Links to files of a local storage: signed, and good until they expire. The same secret makes and checks them."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from rymi_server.foundation.clock import Clock
from rymi_server.foundation.errors import Refused


class BadLink(Refused):
    """The link was not made here, or has been changed."""

    status, code = 403, "bad_link"

    def __init__(self) -> None:
        super().__init__("This link is not valid.")


class LinkExpired(Refused):
    """The link was good once. Ask the API for a new one."""

    status, code = 403, "link_expired"

    def __init__(self) -> None:
        super().__init__("This link has expired. Ask the API for a new one.")


@dataclass(frozen=True, slots=True)
class Links:
    """Links below `base_url`, where the API serves them."""

    base_url: str
    key: bytes
    clock: Clock

    @classmethod
    def from_text(cls, base_url: str, secret: str, clock: Clock) -> "Links":
        """The signing key is derived from the operator's secret."""
        key = hashlib.blake2b(secret.encode(), digest_size=32, person=b"rymi.storage").digest()
        return cls(base_url.rstrip("/"), key, clock)

    def make(self, key: str, lives: timedelta) -> str:
        expires = int((self.clock.now() + lives).timestamp())
        query = urlencode({"exp": expires, "sig": self._signature(key, str(expires))})
        return f"{self.base_url}/{quote(key)}?{query}"

    def check(self, key: str, expires: str, signature: str) -> datetime:
        """When the link ends. The signature is looked at first, so that nobody learns anything by guessing."""
        if not hmac.compare_digest(self._signature(key, expires).encode(), signature.encode()):
            raise BadLink
        now = self.clock.now()
        until = datetime.fromtimestamp(int(expires), now.tzinfo)
        if until <= now:
            raise LinkExpired
        return until

    def _signature(self, key: str, expires: str) -> str:
        return hmac.new(self.key, f"GET\n{key}\n{expires}".encode(), hashlib.sha256).hexdigest()

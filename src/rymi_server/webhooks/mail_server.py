"""The mail server that an operator names, as a value. Read with the settings, so it loads nothing."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

_PORTS: Final = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """`smtp` with STARTTLS where it is offered, or `smtps`. A password goes over nothing but TLS."""

    secure: bool
    host: str
    port: int
    user: str
    password: str
    sender: str

    @classmethod
    def at(cls, url: str, sender: str) -> "MailServer":
        """`smtp://user:password@host:587`. Raise `ValueError`."""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("is no smtp://host or smtps://host")
        port = parts.port or _PORTS[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.scheme == "smtps", parts.hostname, port, user, password, sender)

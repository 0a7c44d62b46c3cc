"""Writes the XML that two of the carriers take."""

from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from rymi_server.telephony.carriers.carrier import Document


def element(name: str, attributes: Mapping[str, str] | None = None, inside: str = "") -> str:
    """`inside` is XML already; see `text`."""
    written = "".join(f" {key}={quoteattr(value)}" for key, value in (attributes or {}).items())
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def text(words: str) -> str:
    """Words as XML holds them: without the control characters that it has no spelling for."""
    return escape("".join(c for c in words if c.isprintable() or c in "\n\t"))


def response(*verbs: str) -> Document:
    return Document(f'<?xml version="1.0" encoding="UTF-8"?>\n<Response>{"".join(verbs)}</Response>', "text/xml")

"""Reads XML that an application sent, with what makes XML dangerous refused before it is parsed."""

import xml.etree.ElementTree as ET

from carrierbox.calls.steps import BadDocument


def read_xml(body: bytes, root: str, largest: int) -> ET.Element:
    """The document's root element, which must be `root`."""
    if len(body) > largest:
        raise BadDocument(f"The document has {len(body)} bytes; at most {largest} are read.")
    if b"<!" in body.replace(b"<!--", b"").replace(b"<![CDATA[", b""):
        raise BadDocument("A document type or entity declaration is not accepted.")
    try:
        element = ET.fromstring(body.strip())  # noqa: S314 - Declarations, which could expand, are refused above.
    except ET.ParseError as error:
        raise BadDocument(f"The document is not well-formed XML: {error}.") from error
    if element.tag != root:
        raise BadDocument(f"The document's root is <{element.tag}>, not <{root}>.")
    return element


def text_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def whole(element: ET.Element, name: str, default: int, least: int, most: int) -> int:
    raw = element.get(name)
    if raw is None:
        return default
    if not raw.isdecimal() or not least <= int(raw) <= most:
        raise BadDocument(f"<{element.tag} {name}={raw!r}> must be a whole number from {least} to {most}.")
    return int(raw)

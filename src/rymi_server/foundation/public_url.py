"""Which URLs may be asked on behalf of a tenant, as far as the URL alone can tell. Pure: no name is resolved here.

A public name can still lead to a private address, today or tomorrow. That is looked at with each connection, where the
name is resolved.
"""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.IGNORECASE)
_PRINTABLE = re.compile(r"[!-~]+")
# Names that no public server has: RFC 6761, RFC 6762, RFC 8375, and the one that ICANN keeps for private use.
_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa", "localdomain", "test", "invalid")
# A last label of digits makes the whole host an address to some resolvers, however oddly it is written: `127.1`,
# `0x7f.1`, `2130706433`.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
# All that IPv6 has given to the public internet, and what of it stands in books (RFC 9637).
_UNICAST = IPv6Network("2000::/3")
_DOCUMENTATION = IPv6Network("3fff::/20")


class NotPublic(ValueError):
    """Says what is wrong with a URL."""


def refuse_private(url: str, *, allow_private: bool) -> None:
    """Raise `NotPublic` unless `url` is a public https one. `allow_private` is for development: any http host."""
    if not _PRINTABLE.fullmatch(url) or "\\" in url:
        raise NotPublic("has characters that must be percent-encoded, or in a host written in punycode")
    parts = _split(url)
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise NotPublic("must begin with https://")
    if "@" in parts.netloc:
        raise NotPublic("must not carry a user or a password")
    host = parts.hostname or ""
    address = _address(host)
    if address is None and not _NAME.fullmatch(host):
        raise NotPublic("has no host that can be asked")
    if not allow_private:
        _refuse_private(host.rstrip(".").lower(), address)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is somewhere on the internet, also when it is dressed up as one of IPv6."""
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or _translated(address)
        if inside is not None:
            return is_public(inside)
        if address.teredo is not None or address not in _UNICAST or address in _DOCUMENTATION:
            return False
    return address.is_global and not address.is_multicast


def _refuse_private(host: str, address: IPv4Address | IPv6Address | None) -> None:
    if address is not None:
        if not is_public(address):
            raise NotPublic("leads to a private or reserved address")
        return
    labels = host.split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        raise NotPublic("has an address for a host that is not written as four decimal numbers")
    if len(labels) < 2 or any(host == name or host.endswith(f".{name}") for name in _PRIVATE_NAMES):
        raise NotPublic("leads to a private name")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotPublic("cannot be read as a URL") from error
    if port == 0:
        raise NotPublic("has no port that can be asked")
    return parts


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.rstrip("."))
    except ValueError:
        return None
    # With a zone (`fe80::1%eth0`) it means something on one machine only.
    return None if "%" in host else address


def _translated(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address behind a NAT64 one (RFC 6052), or one that is only written as IPv6."""
    if address.packed[:12] in (b"\x00\x64\xff\x9b" + bytes(8), bytes(12)):
        return IPv4Address(address.packed[12:])
    return None

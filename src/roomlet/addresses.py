"""Which of this machine's addresses a client could reach, best first."""

import ipaddress
from collections.abc import Iterable

import ifaddr

LOOPBACK = ("127.0.0.1", "::1")


def is_wildcard(address: str) -> bool:
    return ipaddress.ip_address(address).is_unspecified


def own_addresses(ipv6: bool = True) -> tuple[str, ...]:
    """Routable addresses first, loopback last: WebRTC stacks avoid loopback whenever they have any other interface."""
    found = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for adapter in ifaddr.get_adapters() for ip in adapter.ips]
    return reachable([*found, *LOOPBACK], ipv6)


def reachable(found: Iterable[str], ipv6: bool = True) -> tuple[str, ...]:
    """Leaves out what needs a scope or is another family; keeps one loopback address of each family it found."""
    addresses = sorted({ipaddress.ip_address(text.partition("%")[0]) for text in found}, key=_preference)
    has_ipv6 = ipv6 and any(a.version == 6 and not a.is_loopback and not a.is_link_local for a in addresses)
    kept = [
        address
        for address in addresses
        if not address.is_link_local
        and not address.is_multicast
        and (address.version == 4 or has_ipv6)
        and (not address.is_loopback or str(address) in LOOPBACK)
    ]
    return tuple(str(address) for address in kept)


def _preference(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[bool, int, int]:
    return (address.is_loopback, address.version, int(address))

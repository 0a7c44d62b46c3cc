"""Which servers are reached past the proxy that the environment names: those on this machine, and those in NO_PROXY."""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import proxy_bypass


def is_reached_directly(url: str) -> bool:
    parts = urlsplit(url)
    return _is_this_machine(parts.hostname or "") or bool(proxy_bypass(parts.netloc.rpartition("@")[2]))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

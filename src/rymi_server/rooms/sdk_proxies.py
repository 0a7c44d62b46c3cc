"""Keeps LiveKit's SDKs from asking a proxy for a server that is reached without one.

They take the proxy that the environment names for every server, for this machine too, and do not know NO_PROXY.
"""

import os
from collections.abc import MutableMapping
from typing import Final

from rymi_server.foundation.proxies import is_reached_directly

_ENCRYPTED: Final = ("wss:", "https:")


def proxy_of_workers(url: str) -> str | None:
    """For an agent worker's own connection: what livekit-agents would take, where there is to be any."""
    if is_reached_directly(url):
        return None
    return os.environ.get("HTTPS_PROXY") or os.environ.get("HTTP_PROXY")


def reach_rooms_directly(url: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Take out of this process' environment what would lead it astray on its way into rooms on the server at `url`."""
    if not is_reached_directly(url):
        return
    encrypted = url.startswith(_ENCRYPTED)
    for name in ("https_proxy", "HTTPS_PROXY") if encrypted else ("http_proxy", "HTTP_PROXY"):
        proxy = environment.pop(name, None)
        if proxy and encrypted:
            # Providers are asked over https, too, and by who knows this name and NO_PROXY. The SDK knows neither.
            environment.setdefault("ALL_PROXY", proxy)

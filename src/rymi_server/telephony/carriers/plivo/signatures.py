"""Whether Plivo sent a request: version 3, an HMAC over the address, its sorted query, the sorted form and a nonce."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from rymi_server.telephony.carriers.carrier import SignedRequest
from rymi_server.telephony.carriers.forms import form_of, query_of

_HEADERS = ("x-plivo-signature-v3", "x-plivo-signature-ma-v3")
_NONCE = "x-plivo-signature-v3-nonce"
# A socket's handshake is signed as a GET, on live calls under `http`. The others are documented, or only sensible.
_SOCKET_SCHEMES = ("http", "https", "wss", "ws")


def sign(token: str, method: str, url: str, nonce: str, form: Mapping[str, Sequence[str]]) -> str:
    at, query = urlsplit(url), query_of(url)
    pairs = "&".join(f"{name}={value}" for name in sorted(query) for value in sorted(query[name]))
    posted = form if method == "POST" else {}
    body = "".join(name + value for name in sorted(posted) for value in sorted(posted[name]))
    tail = ("?" + pairs if pairs or body else "") + ("." if pairs and body else "") + body
    signed = f"{at.scheme}://{at.netloc}{at.path}{tail}.{nonce}"
    return b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha256).digest()).decode()


def verifies(token: str, request: SignedRequest) -> bool:
    nonce = request.headers.get(_NONCE)
    if not nonce:
        return False
    expected = sign(token, request.method, request.url, nonce, form_of(request))
    return any(hmac.compare_digest(expected.encode(), each.encode()) for each in _given(request))


def verifies_socket(token: str, request: SignedRequest) -> bool:
    _, _, rest = request.url.partition("://")
    return any(
        verifies(token, SignedRequest("GET", f"{scheme}://{rest}", request.headers)) for scheme in _SOCKET_SCHEMES
    )


def _given(request: SignedRequest) -> list[str]:
    """Each header may list several, while a token is being changed."""
    lists = [request.headers.get(name, "") for name in _HEADERS]
    return [each.strip() for listed in lists for each in listed.split(",") if each.strip()]

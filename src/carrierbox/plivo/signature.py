"""Signs requests as Plivo does (V3): an HMAC over the address, its sorted query, the sorted form and a nonce."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit


def sign(token: str, url: str, form: Mapping[str, str], nonce: str) -> str:
    """`form` is empty for a GET, whose parameters stand in the address."""
    at = urlsplit(url)
    pairs = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(at.query, keep_blank_values=True)))
    body = "".join(name + value for name, value in sorted(form.items()))
    tail = ("?" + pairs if pairs or body else "") + ("." if pairs and body else "") + body
    text = f"{at.scheme}://{at.netloc}{at.path}{tail}.{nonce}"
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha256).digest()).decode()

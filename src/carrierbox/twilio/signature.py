"""Signs requests as Twilio does: an HMAC over the full address and the form's sorted fields."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit


def sign(token: str, url: str, fields: Mapping[str, Sequence[str]]) -> str:
    text = url + "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def without_port(url: str) -> str:
    at = urlsplit(url)
    return url.replace(at.netloc, at.netloc.removesuffix(f":{at.port}"), 1)

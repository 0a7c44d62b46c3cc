"""The headers that prove a delivery to be ours: an HMAC over the moment and the body, with the endpoint's secret."""

import hashlib
import hmac
from datetime import datetime


def signed_headers(event: str, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """`X-Rymi-Timestamp` is in milliseconds; receivers refuse what is older than five minutes."""
    timestamp = str(int(now.timestamp() * 1000))
    return {
        "X-Rymi-Event": event,
        "X-Rymi-Timestamp": timestamp,
        "X-Rymi-Signature": signature(timestamp, body, secret),
    }


def signature(timestamp: str, body: bytes, secret: str) -> str:
    """Lowercase hex over `{timestamp}.{body}`, without a prefix."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()

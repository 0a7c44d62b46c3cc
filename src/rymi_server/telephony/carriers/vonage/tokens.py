"""The tokens between Vonage and us: ours ask for calls (RS256), theirs come with webhooks (HS256)."""

import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from rymi_server.telephony.carriers.carrier import Credentials, SignedRequest
from rymi_server.telephony.carriers.forms import query_of

LIVES = timedelta(minutes=15)
# How far their clock and ours may lie apart, and how long a request may be under way.
_TOLERANCE = timedelta(minutes=5)


def application_token(credentials: Credentials, now: datetime) -> str:
    """What `/v1/calls` is asked with. Key and secret are not taken there."""
    claims = {
        "application_id": credentials.application_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LIVES).timestamp()),
        "jti": secrets.token_hex(16),
    }
    return jwt.encode(claims, _signing_key(credentials), algorithm="RS256")


def _signing_key(credentials: Credentials) -> rsa.RSAPrivateKey:
    """We have made it ourselves and kept it sealed, so that nobody can have changed it.

    To look for weak primes in it again would hold up the whole process for 40 ms at each request.
    """
    pem = (credentials.private_key or "").encode()
    key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def new_key_pair() -> tuple[str, str]:
    """A private key and its public one, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


def verifies(credentials: Credentials, request: SignedRequest, now: datetime) -> bool:
    """Everything that the token can say is checked: its signature alone would let an old one through.

    Without a signature secret Vonage's tokens cannot be checked, and the key in our addresses is the proof.
    """
    if not credentials.signature_secret:
        return True
    claims = _claims(credentials.signature_secret, request)
    return claims is not None and _is_for_us(claims, credentials, now) and _is_of(claims, request)


def verifies_socket(credentials: Credentials, request: SignedRequest, token: str, now: datetime) -> bool:
    """A handshake has no body. Without a signature secret we had Vonage send our own token as the authorization."""
    if not credentials.signature_secret:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    claims = _claims(credentials.signature_secret, request)
    return claims is not None and _is_for_us(claims, credentials, now)


def named_once(credentials: Credentials, request: SignedRequest) -> str | None:
    """The token's own id."""
    claims = _claims(credentials.signature_secret, request) if credentials.signature_secret else None
    named = claims.get("jti") if claims else None
    return str(named)[:200] if named else None


def _claims(secret: str, request: SignedRequest) -> dict[str, Any] | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        # Times are checked against our own clock, below.
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
        claims: dict[str, Any] = jwt.decode(token.strip(), secret, algorithms=["HS256"], options=options)
    except (jwt.PyJWTError, ValueError):
        return None
    return claims


def _is_for_us(claims: dict[str, Any], credentials: Credentials, now: datetime) -> bool:
    issued, application = claims.get("iat"), claims.get("application_id")
    if not isinstance(issued, int | float) or abs(now.timestamp() - issued) > _TOLERANCE.total_seconds():
        return False
    named = (claims.get("iss"), claims.get("api_key"))
    return named == ("Vonage", credentials.account_id) and application in (None, credentials.application_id)


def _is_of(claims: dict[str, Any], request: SignedRequest) -> bool:
    """The token names the digest of the body, or of a GET's query written as JSON."""
    payload = request.body
    if request.method == "GET":
        fields = {name: values[-1] for name, values in query_of(request.url).items()}
        payload = json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()
    named = str(claims.get("payload_hash", ""))
    return hmac.compare_digest(named.encode(), hashlib.sha256(payload).hexdigest().encode())

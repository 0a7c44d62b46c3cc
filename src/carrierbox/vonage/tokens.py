"""The two tokens of Vonage: those that applications sign their requests with, and those that webhooks carry."""

import hashlib
import secrets
import time
from collections.abc import Callable

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

LEEWAY_S = 60
LONGEST_LIFE_S = 24 * 3600


class BadToken(Exception):
    """The request is not signed by an application of this box."""


def sign_webhook(secret: str, api_key: str, application_id: str, payload: bytes) -> str:
    claims = {
        "iat": int(time.time()),
        "jti": secrets.token_hex(16),
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(payload).hexdigest(),
        "api_key": api_key,
        "application_id": application_id,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def read_request_token(token: str, public_key_of: Callable[[str], str | None]) -> str:
    """The application that signed it, or `BadToken`. Without an expiry a token lives for fifteen minutes."""
    try:
        unproven = jwt.decode(token, options={"verify_signature": False})
        application_id = str(unproven.get("application_id"))
        key = public_key_of(application_id)
        if key is None:
            raise BadToken("no such application")
        claims = jwt.decode(token, key, algorithms=["RS256"], leeway=LEEWAY_S, options={"require": ["iat", "jti"]})
    except (jwt.PyJWTError, ValueError) as error:
        raise BadToken(str(error)) from error
    issued, expires = int(claims["iat"]), int(claims.get("exp", claims["iat"] + 900))
    if not issued < expires <= issued + LONGEST_LIFE_S or expires + LEEWAY_S < time.time():
        raise BadToken("it lives too long, or is over")
    return application_id


def make_key_pair() -> tuple[str, str]:
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


def is_public_key(pem: str) -> bool:
    try:
        return isinstance(serialization.load_pem_public_key(pem.encode()), rsa.RSAPublicKey)
    except ValueError:
        return False

"""Secrets at rest.

A fresh key seals each secret (AES-256-GCM) and is itself sealed by the operator's key. Both are bound to a purpose and
an owner, so that a ciphertext moved to another row or another tenant does not open.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_WRAPPED = _NONCE + 32 + 16


class CannotOpen(Exception):
    """The sealed bytes are damaged, belong to somebody else, or were sealed with another key."""


@dataclass(frozen=True, slots=True)
class Seal:
    """Seals and opens secrets with the operator's key."""

    key: bytes

    @classmethod
    def from_text(cls, secret: str) -> "Seal":
        """Any text of enough randomness serves: the key is derived from it."""
        return cls(hashlib.blake2b(secret.encode(), digest_size=32, person=b"rymi.seal").digest())

    def close(self, secret: str, *, owner: str, purpose: str) -> bytes:
        bound = f"{owner}\0{purpose}".encode()
        fresh = secrets.token_bytes(32)
        return _encrypt(self.key, fresh, bound) + _encrypt(fresh, secret.encode(), bound)

    def open(self, sealed: bytes, *, owner: str, purpose: str) -> str:
        bound = f"{owner}\0{purpose}".encode()
        try:
            fresh = _decrypt(self.key, sealed[:_WRAPPED], bound)
            return _decrypt(fresh, sealed[_WRAPPED:], bound).decode()
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(f"This {purpose} does not open with the configured RYMI_SECRET.") from error


def pepper_from_text(secret: str) -> bytes:
    """The key for digests of API keys, derived from the same operator's secret."""
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"rymi.pepper").digest()


def new_secret() -> str:
    """Text with 256 bits of randomness."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


def _encrypt(key: bytes, plain: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound)


def _decrypt(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)

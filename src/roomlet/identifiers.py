"""The ids LiveKit clients expect: a prefix that names the kind, then twelve random characters."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(12))

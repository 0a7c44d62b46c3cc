"""What a file may be called in the storage: `recordings/0198…/1.wav`, and nothing that leads anywhere else."""

import re

from rymi_server.foundation.errors import Invalid

_LONGEST = 512
_PART = r"[A-Za-z0-9_][A-Za-z0-9._=+-]*"
_KEY = re.compile(rf"{_PART}(/{_PART})*")


class BadKey(Invalid):
    """The name could lead out of the storage, or to different files on different storages."""

    def __init__(self) -> None:
        super().__init__("This is not a name that a stored file can have.", where="key")


def checked(key: str) -> str:
    """`key`, if it is one. No part begins with a dot, so none of them goes up or hides."""
    if len(key) > _LONGEST or not _KEY.fullmatch(key):
        raise BadKey
    return key


def checked_prefix(prefix: str) -> str:
    """A folder: a key with a slash after it. Nothing lists or empties a whole storage."""
    if not prefix.endswith("/"):
        raise BadKey
    checked(prefix.removesuffix("/"))
    return prefix

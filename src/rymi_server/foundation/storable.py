"""What JSON may hold and neither a database nor UTF-8 takes: NUL, and half of a surrogate pair."""

from typing import Any


def storable(value: Any) -> Any:
    """The same without them, in every text and name of it. A text loses the character, and no more."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {storable(name): storable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner) for inner in value]
    return value

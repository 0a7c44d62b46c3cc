"""What an agent's owner wrote, read by shape: whatever is of another shape counts as not written."""

from collections.abc import Mapping
from typing import Any


def mapping(about: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = about.get(key)
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def text_of(about: Mapping[str, Any], *keys: str) -> str:
    """The first of these that has words."""
    return next((value.strip() for key in keys if isinstance(value := about.get(key), str) and value.strip()), "")


def texts(value: Any) -> list[str]:
    """A list of texts, or a text with one on each line."""
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return [each.strip() for each in value if isinstance(each, str) and each.strip()] if isinstance(value, list) else []

"""Looking into an answer whose shape nobody guarantees."""

from typing import Any


def at(thing: Any, *path: str | int) -> Any:
    """What stands there, or None."""
    for step in path:
        if isinstance(step, int):
            thing = thing[step] if isinstance(thing, list) and -len(thing) <= step < len(thing) else None
        else:
            thing = thing.get(step) if isinstance(thing, dict) else None
    return thing


def text_at(thing: Any, *path: str | int) -> str:
    found = at(thing, *path)
    return found if isinstance(found, str) else ""


def count_at(thing: Any, *path: str | int) -> int | None:
    found = at(thing, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None

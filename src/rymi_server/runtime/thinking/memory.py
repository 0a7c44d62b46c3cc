"""What a conversation remembers, as plain JSON: replayed, handed to a successor, and never more than it needs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

VERSION = 1


@dataclass(slots=True)
class Memory:
    # By slot: {"value": …, "spoken": …}.
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    # What was asked last: opener, slot, read_back, closing, change, more, fallback, clarify; of a slot also which.
    asking: str = ""
    subject: str = ""
    # Entries between which somebody was asked to choose.
    between: list[str] = field(default_factory=list)
    misses: int = 0
    tries: dict[str, int] = field(default_factory=dict)
    said: str = ""
    turn: int = 0
    people: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    declined: bool = False
    closed: bool = False
    callback: str = ""  # "", "wanted", "promised"
    handed_over: bool = False
    skipped: list[str] = field(default_factory=list)
    answered: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> "Memory":
        """A memory of another shape is forgotten field by field, never trusted."""
        fresh = cls()
        if not stored or stored.get("version") != VERSION:
            return fresh
        for each in fields(cls):
            value = stored.get(each.name)
            if type(value) is type(getattr(fresh, each.name)):
                setattr(fresh, each.name, value)
        fresh.slots = {name: slot for name, slot in fresh.slots.items() if "spoken" in slot}
        return fresh

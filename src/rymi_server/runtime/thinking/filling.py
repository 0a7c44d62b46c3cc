"""Putting what was heard into slots: the one that was asked for, and whatever else was said along with it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from rymi_server.foundation.spoken.words import meanings, plain
from rymi_server.runtime.thinking.intents import is_wish
from rymi_server.runtime.thinking.memory import Memory
from rymi_server.runtime.thinking.playbook import READ_BACK, Playbook, Slot
from rymi_server.runtime.thinking.slots import Reading, read

# What has a form of its own is taken whenever it is said; anything else only as an answer.
_SPEAKS_FOR_ITSELF = frozenset({"name", "phone", "email", "date", "time", "choice"})
# Of these a later word is a change of mind, wherever the conversation is.
_CHANGEABLE = frozenset({"date", "time", "phone", "email"})
_BEGINS = re.compile(
    r"\b(appointment|book|booking|reserve|reservation|schedule|sign up|order|register|get started|begin)\b"
)


_MID_MORNING = time(10)


@dataclass(frozen=True, slots=True)
class Taken:
    echoes: tuple[str, ...] = ()
    read_back: str = ""
    problem: str = ""
    changed: bool = True


class Filler:
    def __init__(self, playbook: Playbook, memory: Memory, now: Callable[[], datetime]) -> None:
        self._playbook = playbook
        self._memory = memory
        self._now = now
        # Of the last filling: what was understood and is not possible.
        self.problem = ""

    def fill_asked(self, slot: Slot, text: str) -> Taken | None:
        """None where `text` does not answer the question."""
        reading = read(slot, text, self._now(), asked=True)
        if reading is None:
            return None
        if reading.problem:
            return Taken(problem=reading.problem)
        changed = self._keep(slot, reading)
        read_back = f"I have {reading.spoken}" if slot.kind in READ_BACK else reading.echo or reading.spoken
        return Taken((reading.echo,) if reading.echo else (), read_back, changed=changed)

    def fill_unasked(self, text: str, *, correcting: bool = False, bare: bool = False) -> list[str]:
        """What else was in it, as it is read back. What is known is replaced by a correction, not by a mention."""
        self.problem = ""
        correcting = correcting or is_wish(text)
        echoes = []
        for slot in self._playbook.slots:
            stays = slot.name in self._memory.slots and slot.kind not in _CHANGEABLE and not correcting
            if slot.kind not in _SPEAKS_FOR_ITSELF or stays:
                continue
            reading = read(slot, text, self._now(), asked=bare and slot.kind in {"date", "time"})
            if reading is None:
                continue
            if reading.problem:
                self.problem = self.problem or reading.problem
            elif self._keep(slot, reading):
                echoes.append(reading.echo)
        return [echo for echo in echoes if echo]

    def choose(self, slot: Slot) -> str:
        """For somebody who has no preference: the first that is possible, as it is read back. Empty where none is."""
        today = self._now().date()
        suggestions = {
            "choice": [choice.label for choice in slot.choices[:1]],
            "date": [(today + timedelta(ahead)).isoformat() for ahead in range(1, 8)],
            "time": [at.strftime("%H:%M") for at in (_MID_MORNING, slot.earliest) if at],
        }
        for suggestion in suggestions.get(slot.kind, []):
            reading = read(slot, suggestion, self._now(), asked=True)
            if reading is not None and not reading.problem:
                self._keep(slot, reading)
                return reading.echo
        return ""

    def would_fill(self, text: str) -> bool:
        now = self._now()
        return any(
            read(slot, text, now, asked=False) for slot in self._playbook.slots if slot.kind in _SPEAKS_FOR_ITSELF
        )

    def wants_to_begin(self, text: str) -> bool:
        """Whether what the questions are for was asked for, without an answer to any of them."""
        if not self._playbook.slots:
            return False
        purpose = set(meanings(self._playbook.opener)) if self._playbook.opener.rstrip().endswith("?") else set()
        about = bool(_BEGINS.search(plain(text))) or len(purpose & set(meanings(text))) > 1
        return about and is_wish(text)

    def put(self, name: str, value: str) -> None:
        """A value that the playbook itself decides."""
        slot = self._playbook.slot(name)
        reading = read(slot, value, self._now(), asked=True) if slot and slot.kind in {"date", "time"} else None
        if slot is not None and reading is not None and not reading.problem:
            self._keep(slot, reading)
        else:
            self._memory.slots[name] = {"value": value, "spoken": value}

    def value(self, name: str) -> Any:
        return self._memory.slots.get(name, {}).get("value")

    def values(self) -> dict[str, Any]:
        return {name: slot.get("value") for name, slot in self._memory.slots.items()}

    def _keep(self, slot: Slot, reading: Reading) -> bool:
        before = self.value(slot.name)
        self._memory.slots[slot.name] = {"value": reading.value, "spoken": reading.spoken}
        if slot.name in self._memory.skipped:
            self._memory.skipped.remove(slot.name)
        return bool(before != reading.value)

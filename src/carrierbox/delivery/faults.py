"""Faults that a tester orders: what to break, for which call or event, and how often. Others act on it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import TypeVar


class Target(StrEnum):
    CALLBACK = "callback"
    ANSWER = "answer"
    REST = "rest"
    MEDIA = "media"


class Act(StrEnum):
    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    STATUS = "status"
    HANG = "hang"
    HANG_AFTER = "hang_after"
    CUT = "cut"
    STALL = "stall"
    GARBAGE = "garbage"
    FORGE = "forge"
    UNSIGNED = "unsigned"
    REPLAY = "replay"
    FLOOD = "flood"
    TEAR = "tear"


ACTS = {
    Target.CALLBACK: {Act.DROP, Act.DUPLICATE, Act.DELAY, Act.REORDER, Act.FORGE, Act.UNSIGNED, Act.REPLAY},
    Target.ANSWER: {Act.DROP, Act.DUPLICATE, Act.DELAY, Act.FORGE, Act.UNSIGNED},
    Target.REST: {Act.STATUS, Act.HANG, Act.HANG_AFTER, Act.DELAY},
    Target.MEDIA: {Act.CUT, Act.TEAR, Act.STALL, Act.FLOOD, Act.GARBAGE},
}
MOST_FAULTS = 100

Word = TypeVar("Word", bound=StrEnum)


class BadFault(Exception):
    """The fault cannot be set; the message says which part, and why."""


@dataclass
class Fault:
    """`event` matches the callback's kind or the REST operation; `None` matches all. `times` counts down to nothing."""

    id: str
    target: Target
    act: Act
    carrier: str | None = None
    call_id: str | None = None
    event: str | None = None
    times: int | None = None
    ms: int = 0
    status: int = 500
    body: str = ""

    def matches(self, target: Target, carrier: str, call_id: str | None, event: str) -> bool:
        return (
            self.target is target
            and self.carrier in (None, carrier)
            and self.call_id in (None, call_id)
            and self.event in (None, event)
        )


class FaultBook:
    """The faults that are set. One use takes one off its count."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = count(1)

    def set(self, raw: object) -> Fault:
        if len(self._faults) >= MOST_FAULTS:
            raise BadFault(f"At most {MOST_FAULTS} faults can be set; take some away first.")
        fault = read_fault(raw, f"flt_{next(self._numbers)}")
        self._faults.append(fault)
        return fault

    def take(self, target: Target, carrier: str, call_id: str | None, event: str) -> Fault | None:
        for fault in self._faults:
            if fault.matches(target, carrier, call_id, event):
                self._use(fault)
                return fault
        return None

    def _use(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self._faults.remove(fault)

    def all(self) -> list[Fault]:
        return list(self._faults)

    def remove(self, fault_id: str) -> bool:
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if fault.id != fault_id]
        return len(self._faults) < before

    def clear(self) -> None:
        self._faults.clear()


def read_fault(raw: object, fault_id: str) -> Fault:
    if not isinstance(raw, Mapping):
        raise BadFault("A fault is an object with a target and an act.")
    unknown = set(raw) - {"target", "act", "carrier", "call_id", "event", "times", "ms", "status", "body"}
    if unknown:
        raise BadFault(f"A fault has no {', '.join(sorted(map(str, unknown)))}.")
    target, act = _choice(Target, raw.get("target"), "target"), _choice(Act, raw.get("act"), "act")
    if act not in ACTS[target]:
        raise BadFault(f"act {act} does not apply to {target}: choose {', '.join(sorted(ACTS[target]))}.")
    return Fault(
        fault_id,
        target,
        act,
        _word(raw.get("carrier"), "carrier"),
        _word(raw.get("call_id"), "call_id"),
        _word(raw.get("event"), "event"),
        _times(raw.get("times"), target),
        _whole(raw.get("ms", 1000), "ms", 0, 600_000),
        _whole(raw.get("status", 500), "status", 400, 599),
        str(raw.get("body", ""))[:10_000],
    )


def _choice(kind: type[Word], raw: object, name: str) -> Word:
    try:
        return kind(str(raw))
    except ValueError:
        raise BadFault(f"{name} must be one of {', '.join(kind)}.") from None


def _word(raw: object, name: str) -> str | None:
    if raw is None:
        return None
    if not isinstance(raw, str) or not re.fullmatch(r"[\w.:+-]{1,80}", raw):
        raise BadFault(f"{name} must be a word of at most 80 characters.")
    return raw


def _times(raw: object, target: Target) -> int | None:
    """Media is asked for faults fifty times a second, so there one is one unless more are wanted."""
    if raw is None:
        return 1 if target is Target.MEDIA else None
    return _whole(raw, "times", 1, 1_000_000)


def _whole(raw: object, name: str, least: int, most: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
        raise BadFault(f"{name} must be a whole number from {least} to {most}.")
    return raw

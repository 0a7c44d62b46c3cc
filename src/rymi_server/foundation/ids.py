"""How things are named.

Calls, agents, participants and tenants have UUIDs of version 7, which sort by the time they were made; everything else
carries a prefix that says what it is.
"""

import secrets
import threading
import time
from datetime import datetime
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", str)
AgentId = NewType("AgentId", str)
CallId = NewType("CallId", str)
ParticipantId = NewType("ParticipantId", str)
LegId = NewType("LegId", str)
KeyId = NewType("KeyId", str)
NumberId = NewType("NumberId", str)
WebhookId = NewType("WebhookId", str)
RecordingId = NewType("RecordingId", str)
EventId = NewType("EventId", str)

_RANDOM_BITS = 62
_COUNTER_BITS = 12


class _Uuid7:
    """Makes UUIDs that rise strictly within this process, also within one millisecond and when the clock steps back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def __call__(self) -> str:
        tick = (time.time_ns() // 1_000_000) << _COUNTER_BITS
        with self._lock:
            tick = self._last = max(tick, self._last + 1)
        return _uuid7(tick, secrets.randbits(_RANDOM_BITS))


def _uuid7(tick: int, random: int) -> str:
    millisecond, counter = tick >> _COUNTER_BITS, tick & ((1 << _COUNTER_BITS) - 1)
    return str(UUID(int=(millisecond << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | random))


new_uuid = _Uuid7()


def first_uuid_at(instant: datetime) -> str:
    """The smallest id that can have been made at `instant`: turns a span of time into a span of ids."""
    return _uuid7(int(instant.timestamp() * 1000) << _COUNTER_BITS, 0)


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the one spelling that we issue."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def new_prefixed(prefix: str) -> str:
    """An id such as `leg_0198c…`: the prefix says what it is, the rest sorts by time."""
    return f"{prefix}_{UUID(new_uuid()).hex}"

"""What is known of one call: who, when, how far, and a timeline of everything that happened to it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from carrierbox.callees.script import Being
from carrierbox.calls.lifecycle import Direction, EndedBy, Ending, State
from carrierbox.line.recording import Recording

TIMELINE_LENGTH = 500


@dataclass(frozen=True)
class Entry:
    """One thing that happened, in milliseconds since the call was asked for."""

    at: datetime
    ms: int
    event: str
    detail: dict[str, object]


@dataclass(frozen=True)
class MachineDetection:
    """What the application asked for. `hold` keeps the document back until the verdict is in."""

    hold: bool = False
    hang_up: bool = False
    await_beep: bool = False
    timeout_ms: int = 30_000


@dataclass(frozen=True)
class Verdict:
    being: Being
    beep: bool
    took_ms: int


@dataclass
class Call:
    """One leg between a carrier and a phone. `terms` are the carrier's own: what the application asked for with it."""

    id: str
    carrier: str
    account_id: str
    direction: Direction
    caller: str
    callee: str
    created_at: datetime
    terms: object
    ring_timeout_s: float = 60.0
    time_limit_s: float = 14_400.0
    detection: MachineDetection | None = None
    send_digits: str = ""
    parent_id: str | None = None
    script_name: str = ""
    state: State = State.QUEUED
    began_s: float = 0.0
    queue_ms: int = 0
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None
    ended_by: EndedBy | None = None
    verdict: Verdict | None = None
    heard: Recording = field(default_factory=Recording)
    spoken: Recording = field(default_factory=Recording)
    timeline: deque[Entry] = field(default_factory=lambda: deque(maxlen=TIMELINE_LENGTH))
    watchers: list[Callable[["Call"], None]] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        return self.state is State.ENDED

    @property
    def duration_s(self) -> int:
        """Seconds from answer to end as they are billed: begun seconds count."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return max(1, -int(-(self.ended_at - self.answered_at).total_seconds() // 1))

    def forget_sound(self) -> None:
        self.heard, self.spoken = Recording(), Recording()

    @property
    def phone(self) -> str:
        """The number of the simulated person."""
        return self.callee if self.direction is Direction.OUTBOUND else self.caller

    @property
    def own_number(self) -> str:
        """The number of the account."""
        return self.caller if self.direction is Direction.OUTBOUND else self.callee

    def note(self, at: datetime, seconds: float, event: str, **detail: object) -> None:
        self.timeline.append(Entry(at, round((seconds - self.began_s) * 1000), event, detail))
        for watcher in tuple(self.watchers):
            watcher(self)

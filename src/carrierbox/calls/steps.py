"""What an application can tell a carrier to do with a call, whichever language it said it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Speak:
    text: str
    voice: str = "en-us"


@dataclass(frozen=True)
class PlayUrl:
    url: str


@dataclass(frozen=True)
class PressKeys:
    digits: str


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class HangUp:
    pass


@dataclass(frozen=True)
class Reject:
    """Turn an inbound call down without answering it."""

    busy: bool


@dataclass(frozen=True)
class GoTo:
    """Fetch another document and go on there."""

    url: str
    method: str


@dataclass(frozen=True)
class Dial:
    number: str
    caller: str | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True)
class Connect:
    """Connect the call's audio to a WebSocket of the application.

    `rate` and `encoding` are those of the socket. `stays` keeps the call up when the application closes the socket;
    `background` goes on with the next step at once. `options` are the carrier's own.
    """

    url: str
    rate: int = 8000
    encoding: str = "mulaw"
    metadata: Mapping[str, str] = field(default_factory=dict)
    stays: bool = False
    background: bool = False
    options: object = None


@dataclass(frozen=True)
class Unknown:
    """A word of the carrier's language that this box does not act out. It is noted on the timeline and skipped."""

    name: str


Step = Speak | PlayUrl | PressKeys | Pause | HangUp | Reject | GoTo | Dial | Connect | Unknown


class BadDocument(Exception):
    """The application's answer is not a document the carrier can read."""

"""What is said on a carrier's media socket, in one vocabulary for all carriers. Pure: no socket, no clock.

A carrier's `media.py` translates: what arrives becomes events, what we want becomes messages. Audio stays in the
carrier's own encoding here; changing it is the bridge's work.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

Message: TypeAlias = str | bytes

FRAME_MS = 20
# What carriers are told to send back with the first message, by the name of a parameter, header or extra header.
TOKEN_PARAMETER = "t"
# Nobody's token, stream id or call id is longer; what is, was made up.
LONGEST_WORD = 256
DIGITS = frozenset("0123456789*#ABCD")


class Encoding(StrEnum):
    MULAW = "mulaw"
    LINEAR = "linear"


@dataclass(frozen=True, slots=True)
class Format:
    """How audio travels, both ways: mu-law, or 16-bit samples with the low byte first. One channel."""

    encoding: Encoding
    rate: int

    @property
    def frame_bytes(self) -> int:
        return self.rate * FRAME_MS // 1000 * (1 if self.encoding is Encoding.MULAW else 2)


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream begins. Whoever sent it is believed once the token and the handshake's signature are."""

    token: str | None
    provider_call_id: str | None
    stream_id: str | None
    format: Format


@dataclass(frozen=True, slots=True)
class Heard:
    """What the phone says, of any length. `at_ms` counts on the stream's own clock where the carrier has one."""

    audio: bytes
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """All audio before the mark is out of the carrier's buffer: played, or cleared."""

    mark: str


@dataclass(frozen=True, slots=True)
class BufferCleared:
    """The carrier has forgotten what it had not played."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The carrier says that the stream is over."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A message that means nothing to us, and why. `broken` ones no carrier sends."""

    why: str
    broken: bool = False


MediaEvent: TypeAlias = Opened | Heard | KeyPressed | MarkPlayed | BufferCleared | Stopped | Unread


class MediaWire(Protocol):
    """One media socket of a carrier, from its first message to its last. Nothing that arrives makes it raise."""

    def read(self, message: Message) -> MediaEvent: ...

    def play(self, frame: bytes) -> Message:
        """Exactly one frame of the stream's format."""
        ...

    def mark(self, name: str) -> Message:
        """Ask to be told once everything before it was played. At most 64 letters, digits and hyphens."""
        ...

    def clear(self) -> Message:
        """Ask to forget what was not played yet."""
        ...

    def press(self, digits: str) -> Message | None:
        """Press keys at the other end; None where the socket has no word for it."""
        ...


# The wires of a carrier: one is made for each socket.
NewWire: TypeAlias = Callable[[], MediaWire]

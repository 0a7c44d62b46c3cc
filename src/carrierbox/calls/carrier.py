"""What the life of a call needs of a carrier: its words for what happens, its documents, and its media socket."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from carrierbox.calls.call import Call
from carrierbox.calls.steps import Connect, Step
from carrierbox.delivery.callback import Callback, Reply
from carrierbox.numbers import OwnedNumber


class Moment(StrEnum):
    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class StreamChange(StrEnum):
    STARTED = "started"
    STOPPED = "stopped"
    FAILED = "failed"
    DEGRADED = "degraded"
    CLOSED_BY_APP = "closed_by_app"


@dataclass(frozen=True)
class Stream:
    """One connection of a call to a media socket."""

    id: str
    step: Connect
    call_id: str


@dataclass(frozen=True)
class Source:
    """Where a document comes from: given outright, or the requests to try one after the other."""

    steps: Sequence[Step] | None = None
    requests: Sequence[Callback] = ()


@dataclass(frozen=True)
class Audio:
    """Sound for the phone, already mu-law at 8 kHz."""

    sound: bytes


@dataclass(frozen=True)
class MarkOrder:
    name: object


@dataclass(frozen=True)
class ClearOrder:
    pass


@dataclass(frozen=True)
class PressOrder:
    digits: str


@dataclass(frozen=True)
class Ignored:
    why: str


Order = Audio | MarkOrder | ClearOrder | PressOrder | Ignored
Message = str | bytes


class BadMessage(Exception):
    """The application said something on the socket that the carrier does not accept, and closes it for."""

    def __init__(self, reason: str, close_code: int, carrier_code: str = "") -> None:
        super().__init__(reason)
        self.close_code = close_code
        self.carrier_code = carrier_code


class Wire(Protocol):
    """A media socket's language, one object a stream. Pure: messages in, orders out, and the reverse."""

    def opening(self) -> list[Message]: ...

    def speech(self, number: int, sound: bytes | None) -> list[Message]: ...

    def key(self, digit: str, ms: int) -> list[Message]: ...

    def played(self, name: object) -> list[Message]: ...

    def cleared(self, pending: Sequence[object]) -> list[Message]: ...

    def closing(self) -> list[Message]: ...

    def read(self, message: Message) -> Order: ...


@dataclass(frozen=True)
class SocketTerms:
    """How a carrier opens media sockets."""

    headers: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 1
    largest_message: int = 1024 * 1024


class Carrier(Protocol):
    """One phone company."""

    name: str
    buffer_ms: int

    def announce(self, call: Call, moment: Moment) -> list[Callback]: ...

    def announce_verdict(self, call: Call) -> list[Callback]: ...

    def announce_stream(self, call: Call, stream: Stream, change: StreamChange, why: str) -> list[Callback]: ...

    def answer(self, call: Call) -> Source: ...

    def go_to(self, call: Call, url: str, method: str) -> Source: ...

    def read(self, call: Call, reply: Reply) -> Sequence[Step]: ...

    def may_connect(self, step: Connect) -> str | None:
        """Why the carrier would not even try this socket, if it would not."""
        ...

    def socket_terms(self, call: Call, stream: Stream) -> SocketTerms: ...

    def wire(self, call: Call, stream: Stream) -> Wire: ...

    def new_call_id(self) -> str: ...

    def new_stream_id(self) -> str: ...

    def inbound_terms(self, called: OwnedNumber) -> object:
        """The terms of a call to one of the account's numbers, as the number is set now."""
        ...

    def child_terms(self, parent: Call) -> object:
        """The terms of a call that a document of `parent` dials."""
        ...

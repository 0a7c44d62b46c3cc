"""What a worker process and its owner say to one another: a length, a kind, the number of a stream, and bytes."""

import json
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

HEAD: Final = struct.Struct("!IBI")
MOST_BYTES: Final = 16 * 1024 * 1024


class Kind(IntEnum):
    # To the worker.
    OPEN = 1
    AUDIO = 2
    FINISH = 3
    DROP = 4
    EXPECT = 5
    CLOSE = 6
    SPEAK = 7
    STOP = 8
    # From the worker.
    READY = 20
    DRAFT = 21
    RESULT = 22
    SOUND = 23
    DONE = 24
    FAILED = 25


class BrokenWire(Exception):
    """What came cannot be a message."""


@dataclass(frozen=True, slots=True)
class Message:
    kind: Kind
    stream: int
    body: bytes = b""

    def encode(self) -> bytes:
        return HEAD.pack(len(self.body), self.kind, self.stream) + self.body

    def read(self) -> Any:
        return json.loads(self.body)


def said(kind: Kind, stream: int, value: Any) -> Message:
    return Message(kind, stream, json.dumps(value).encode())


def head(first: bytes) -> tuple[int, Kind, int]:
    """The length of the body, the kind and the stream. Raise `BrokenWire`."""
    length, kind, stream = HEAD.unpack(first)
    if length > MOST_BYTES:
        raise BrokenWire(f"a message of {length} bytes")
    try:
        return length, Kind(kind), stream
    except ValueError as error:
        raise BrokenWire(f"a message of kind {kind}") from error

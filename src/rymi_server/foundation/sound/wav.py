"""WAV files that are written while they grow: a header that may be patched at any time, and repaired after a crash."""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEADER_BYTES: Final = 44
_HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
_PCM: Final = 1
_BITS: Final = 16
# The format counts in 32 bits. A longer file is still read to its end by programs that look at its size.
_MOST_BYTES: Final = 0xFFFF_FFFF - HEADER_BYTES


class NotWav(ValueError):
    """The file is no WAV file of ours."""


@dataclass(frozen=True, slots=True)
class Shape:
    sample_rate: int
    channels: int

    @property
    def block_bytes(self) -> int:
        """One sample of every channel."""
        return self.channels * _BITS // 8


def header(shape: Shape, data_bytes: int) -> bytes:
    """The first 44 bytes of a file that holds so much sound by now."""
    size = min(data_bytes, _MOST_BYTES)
    rate, block = shape.sample_rate, shape.block_bytes
    riff = (b"RIFF", size + HEADER_BYTES - 8, b"WAVE")
    form = (b"fmt ", 16, _PCM, shape.channels, rate, rate * block, block, _BITS)
    return _HEADER.pack(*riff, *form, b"data", size)


def read_header(first: bytes) -> tuple[Shape, int]:
    """The shape, and the bytes of sound that the header speaks of. Raise `NotWav`."""
    if len(first) < HEADER_BYTES:
        raise NotWav("there is no whole header")
    riff, _, wave, form, length, kind, channels, rate, _, _, bits, data, size = _HEADER.unpack(first[:HEADER_BYTES])
    if (riff, wave, form, data) != (b"RIFF", b"WAVE", b"fmt ", b"data") or (length, kind, bits) != (16, _PCM, _BITS):
        raise NotWav("this header was not written by us")
    if not channels or not rate:
        raise NotWav("the header names no channels or no rate")
    return Shape(rate, channels), size


def repair(file: Path) -> int:
    """Make the header say what the file holds, after whoever wrote it was killed.

    Return the milliseconds of whole samples in it. Raise `NotWav`.
    """
    with file.open("r+b") as opened:
        shape, said = read_header(opened.read(HEADER_BYTES))
        held = os.fstat(opened.fileno()).st_size - HEADER_BYTES
        whole = held - held % shape.block_bytes
        if whole != held:
            opened.truncate(HEADER_BYTES + whole)
        if min(whole, _MOST_BYTES) != said:
            os.pwrite(opened.fileno(), header(shape, whole), 0)
        os.fsync(opened.fileno())
    return whole // shape.block_bytes * 1_000 // shape.sample_rate

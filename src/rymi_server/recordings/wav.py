"""WAV files as recordings are kept in: 16-bit PCM, read, repaired and headed here. Knows nothing of what is heard.

A writer that is killed leaves a header that says less than the file holds. How much there is, the file's size tells.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

HEADER_BYTES = 44
_SAMPLE_BYTES = 2
_SAMPLE_BITS = 16
_MOST_CHANNELS = 8
_FASTEST = 192_000
_CHUNK_HEAD = 8
_FORMAT_BYTES = 16
_PCM = 1
_EXTENSIBLE = 0xFFFE
_LARGEST = 0xFFFFFFFF - HEADER_BYTES
# What may stand before the sound. More is no recording of ours.
_MOST_HEADER = 64 * 1024


class NotAWav(Exception):
    """The file is no WAV of 16-bit PCM, or nothing is in it."""


@dataclass(frozen=True, slots=True)
class Wav:
    """What a file holds: `data_bytes` of whole frames, beginning at `data_offset`."""

    channels: int
    rate: int
    data_offset: int
    data_bytes: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * _SAMPLE_BYTES

    @property
    def frames(self) -> int:
        return self.data_bytes // self.frame_bytes

    @property
    def duration_ms(self) -> int:
        return round(self.frames * 1000 / self.rate)


def header(channels: int, rate: int, data_bytes: int) -> bytes:
    """The 44 bytes before the sound. A file too long for WAV says the most that it can; players read to its end."""
    size = min(data_bytes, _LARGEST)
    frame = channels * _SAMPLE_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", HEADER_BYTES - 8 + size, b"WAVE", b"fmt ", 16, _PCM, channels, rate, rate * frame, frame),
        *(_SAMPLE_BITS, b"data", size),
    )


def read_wav(path: Path) -> Wav:
    """What the file really holds, whatever its header says of its length. Raises `NotAWav`."""
    with path.open("rb") as file:
        return _parsed(file, path.stat().st_size)


def repair(path: Path) -> Wav:
    """Make the header say what the file holds, and cut half a frame off its end. A good file stays as it is."""
    wav = read_wav(path)
    end = wav.data_offset + wav.data_bytes
    with path.open("r+b") as file:
        if path.stat().st_size > end:
            file.truncate(end)
        size = min(wav.data_bytes, _LARGEST)
        for offset, value in ((4, wav.data_offset - 8 + size), (wav.data_offset - 4, size)):
            file.seek(offset)
            if file.read(4) != struct.pack("<I", value):
                file.seek(offset)
                file.write(struct.pack("<I", value))
    return wav


def _parsed(file: BinaryIO, size: int) -> Wav:
    start = file.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise NotAWav("it does not begin as a WAV")
    form: tuple[int, int] | None = None
    while file.tell() < min(size, _MOST_HEADER):
        name, length = _chunk(file)
        if name == b"data":
            if form is None:
                raise NotAWav("its sound comes before its format")
            return _held(form, file.tell(), size)
        body = file.read(length + length % 2) if length <= _MOST_HEADER else b""
        if name == b"fmt ":
            form = _format(body)
    raise NotAWav("it has no sound")


def _chunk(file: BinaryIO) -> tuple[bytes, int]:
    head = file.read(_CHUNK_HEAD)
    if len(head) < _CHUNK_HEAD:
        raise NotAWav("it ends within its header")
    name, length = struct.unpack("<4sI", head)
    return name, length


def _format(body: bytes) -> tuple[int, int]:
    if len(body) < _FORMAT_BYTES:
        raise NotAWav("its format is cut off")
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:_FORMAT_BYTES])
    plain = code in (_PCM, _EXTENSIBLE) and bits == _SAMPLE_BITS
    if not plain or not 0 < channels <= _MOST_CHANNELS or not 0 < rate <= _FASTEST:
        raise NotAWav("it is not 16-bit PCM")
    return channels, rate


def _held(form: tuple[int, int], offset: int, size: int) -> Wav:
    """All that follows is sound, whatever the header says of it: ours have no chunk after it."""
    channels, rate = form
    follows = size - offset
    frame = channels * _SAMPLE_BYTES
    return Wav(channels, rate, offset, follows - follows % frame)

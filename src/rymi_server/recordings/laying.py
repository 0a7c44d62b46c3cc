"""Lays the pieces of a recording on the call's clock, as one stereo WAV: people on the left, the agent on the right.

Runs as a process of its own, so that nothing else waits while it counts samples. In passing it draws the outline that
players show and notes when each side made a sound. Memory stays the same however long the call was.

    python -m rymi_server.recordings.laying order.json     answers JSON on standard output
"""

import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from rymi_server.foundation.orphans import end_with_parent
from rymi_server.recordings.loudness import SIDES, Loudness
from rymi_server.recordings.wav import NotAWav, Wav, header, repair

RATE = 16_000
CHANNELS = 2
FRAME_BYTES = 2 * CHANNELS
_BLOCK_FRAMES = 16_000
# A clock that went wrong must not fill a disk with silence.
_LONGEST_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, and when on the call's clock it begins."""

    path: str
    started_at_ms: int


@dataclass(frozen=True, slots=True)
class Laid:
    """What became of the pieces. `speech` are the stretches of sound of each side, in milliseconds."""

    duration_ms: int
    bytes: int
    # Pieces that hold no sound, by their place in the order, and why.
    refused: dict[int, str] = field(default_factory=dict)
    speech: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def lay(pieces: Sequence[Piece], into: Path, outline: Path) -> Laid:
    """Write `into` and `outline`. Between pieces there is silence; where two overlap, the earlier one is heard."""
    good, refused = _good(pieces)
    end_ms = max((piece.started_at_ms + wav.duration_ms for _, piece, wav in good), default=0)
    loudness = Loudness(RATE, min(end_ms, _LONGEST_MS))
    with into.open("wb") as file:
        file.write(header(CHANNELS, RATE, 0))
        frames = sum(_kept(block, file, loudness) for block in _sound(good))
        file.seek(0)
        file.write(header(CHANNELS, RATE, frames * FRAME_BYTES))
    outline.write_text(json.dumps(loudness.outline(), separators=(",", ":")))
    speech = {side: loudness.speech(side) for side in SIDES}
    return Laid(frames * 1000 // RATE, into.stat().st_size, refused, speech)


def _kept(block: bytes, file: BinaryIO, loudness: Loudness) -> int:
    file.write(block)
    loudness.push(block)
    return len(block) // FRAME_BYTES


def _good(pieces: Sequence[Piece]) -> tuple[list[tuple[int, Piece, Wav]], dict[int, str]]:
    """In the order of the clock."""
    good, refused = [], {}
    for index, piece in enumerate(pieces):
        try:
            wav = repair(Path(piece.path))
            if wav.rate != RATE or wav.channels > CHANNELS:
                raise NotAWav(f"it has {wav.channels} channels at {wav.rate} Hz")
        except (NotAWav, OSError) as error:
            refused[index] = str(error)
        else:
            good.append((index, piece, wav))
    return sorted(good, key=lambda each: (each[1].started_at_ms, each[0])), refused


def _sound(good: Sequence[tuple[int, Piece, Wav]]) -> Iterator[bytes]:
    at = 0
    for _, piece, wav in good:
        begins = max(0, min(piece.started_at_ms, _LONGEST_MS)) * RATE // 1000
        yield from _silence(begins - at)
        at = max(at, begins)
        skipped = at - begins
        for block in _stereo(Path(piece.path), wav, skipped):
            yield block
            at += len(block) // FRAME_BYTES


def _silence(frames: int) -> Iterator[bytes]:
    while frames > 0:
        some = min(frames, _BLOCK_FRAMES)
        yield bytes(some * FRAME_BYTES)
        frames -= some


def _stereo(path: Path, wav: Wav, skipped: int) -> Iterator[bytes]:
    """From frame `skipped` on. What was recorded in one channel is people's."""
    left = wav.data_bytes - skipped * wav.frame_bytes
    with path.open("rb") as file:
        file.seek(wav.data_offset + skipped * wav.frame_bytes)
        while left > 0 and (block := file.read(min(left, _BLOCK_FRAMES * wav.frame_bytes))):
            left -= len(block)
            yield block if wav.channels == CHANNELS else _on_the_left(block)


def _on_the_left(block: bytes) -> bytes:
    stereo = array("h", bytes(len(block) * 2))
    stereo[0::2] = array("h", block)
    return stereo.tobytes()


def main() -> None:
    end_with_parent()
    order = json.loads(Path(sys.argv[1]).read_text())
    laid = lay([Piece(**piece) for piece in order["pieces"]], Path(order["into"]), Path(order["outline"]))
    sys.stdout.write(json.dumps(asdict(laid)))


if __name__ == "__main__":
    main()

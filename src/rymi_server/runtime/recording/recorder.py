"""A call in stereo: people on the left, the agent on the right as it was played.

Time is the only guide: sound is put where it belongs on the call's clock, whatever came late, so two channels can
neither drift apart nor away from it. At least the last 0.6 s stay open: people's sound may hang on its way, and a cut
takes back what the agent has not been heard to say. What is older is settled a fifth of a second at a time.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.foundation.sound.wav import Shape
from rymi_server.runtime.recording.growing_wav import WavWriter
from rymi_server.runtime.recording.peaks import Peaks
from rymi_server.runtime.speaking.player import RATE as AGENT_RATE

RATE: Final = 16_000
TICK_MS: Final = 20
TICK: Final = RATE * TICK_MS // 1_000
STEREO: Final = Shape(RATE, 2)
MONO: Final = Shape(RATE, 1)
_HELD_TICKS: Final = 30
_BATCH_TICKS: Final = 10
_ROOM_S: Final = 2.0
# Blocks that follow one another closely are one sound; the jitter between them must not be heard. It is also how far
# the agent's sound may be from where it belongs.
_CONTIGUOUS: Final = AGENT_RATE // 100
# The resampler's answer to a sound comes so many samples after it, on its own side and on ours.
_AHEAD: Final = 33
_BEHIND: Final = _AHEAD * RATE // AGENT_RATE

Samples = NDArray[np.int16]


def _room(rate: int) -> Samples:
    return np.zeros(int(rate * _ROOM_S), np.int16)


@dataclass(slots=True)
class Recorder:
    """`zero` is the moment of the steady clock at which the file begins. `keeps_tracks`: everybody's sound is kept
    in a file of its own as well."""

    path: Path
    zero: float
    writer: WavWriter
    keeps_tracks: bool = False
    peaks: Peaks = field(default_factory=lambda: Peaks(RATE, ("people", "agent")))
    # What is still open of both sides. The agent's is kept as it came.
    _people: Samples = field(default_factory=lambda: _room(RATE))
    _agent: Samples = field(default_factory=lambda: _room(AGENT_RATE))
    _resampled: "_Resampled" = field(default_factory=lambda: _Resampled())
    # Up to here somebody was heard.
    _people_until: int = 0
    _agent_next: int | None = None
    _ticks: int = 0
    _written: int = 0
    _tracks: dict[str, "_Track"] = field(default_factory=dict)

    @property
    def duration_ms(self) -> int:
        return self._ticks * TICK_MS

    def ticks_due(self, now: float) -> int:
        """How many ticks the file lags behind the clock."""
        return max(0, int((now - self.zero) * 1_000 / TICK_MS) - self._ticks)

    def person(self, who: str, ended: float, samples: Samples) -> None:
        """Sound of a person whose last sample was heard at that moment."""
        start = round((ended - self.zero) * RATE) - len(samples)
        if self.keeps_tracks:
            self._track(who).write(start, samples)
        offset, end = start - self._written, start + len(samples)
        if offset < 0:
            samples, offset = samples[-offset:], 0
        room = self._people[offset : offset + len(samples)]
        # Two who speak at once are added up; whoever speaks alone is copied.
        both = min(len(room), max(0, self._people_until - self._written - offset))
        if both:
            room[:both] = np.clip(room[:both].astype(np.int32) + samples[:both], -32_768, 32_767)
        room[both:] = samples[both : len(room)]
        self._people_until = max(self._people_until, end)

    def tick(self) -> None:
        """20 ms of the call have passed."""
        self._ticks += 1
        if self._ticks * TICK - self._written >= (_HELD_TICKS + _BATCH_TICKS) * TICK:
            self._settle(_BATCH_TICKS)

    def agent(self, at: float, block: bytes) -> None:
        """Sound of the agent that is heard at that moment."""
        samples = np.frombuffer(block, np.int16)
        start = round((at - self.zero) * AGENT_RATE)
        if self._agent_next is not None and abs(start - self._agent_next) < _CONTIGUOUS:
            start = self._agent_next
        self._agent_next = start + len(samples)
        offset = start - self._agent_written
        if offset < 0:
            samples, offset = samples[-offset:], 0
        room = self._agent[offset : offset + len(samples)]
        room[:] = samples[: len(room)]

    def cut(self, at: float) -> None:
        """Nothing of the agent is heard from that moment on."""
        self._agent[max(0, round((at - self.zero) * AGENT_RATE) - self._agent_written) :] = 0
        self._agent_next = None

    @property
    def tracks(self) -> int:
        return len(self._tracks)

    def track_paths(self) -> dict[str, Path]:
        return {who: track.path for who, track in self._tracks.items()}

    def finish(self) -> None:
        """Hand everything to the writer, which closes the file."""
        while (left := self._ticks - self._written // TICK) > 0:
            self._settle(min(left, _BATCH_TICKS))
        for track in self._tracks.values():
            track.finish()

    @property
    def _agent_written(self) -> int:
        return self._written * AGENT_RATE // RATE

    def _settle(self, ticks: int) -> None:
        """The oldest ticks are final."""
        samples = ticks * TICK
        both = np.empty((samples, 2), np.int16)
        both[:, 0] = self._people[:samples]
        both[:, 1] = self._resampled.next(self._agent, samples)
        _shift(self._people, samples)
        _shift(self._agent, samples * AGENT_RATE // RATE)
        self.peaks.push((both[:, 0], both[:, 1]))
        self.writer.write(self.path, STEREO, self._written * STEREO.block_bytes, both.tobytes())
        self._written += samples

    def _track(self, who: str) -> "_Track":
        if who not in self._tracks:
            path = self.path.with_name(f"{self.path.stem}.track{len(self._tracks) + 1}.wav")
            self._tracks[who] = _Track(path, self.writer)
        return self._tracks[who]


def _shift(room: Samples, samples: int) -> None:
    room[:-samples] = room[samples:]
    room[-samples:] = 0


class _Resampled:
    """The agent's side at the recording's rate, to the sample where it belongs."""

    def __init__(self) -> None:
        self._resampler = PolyResampler(AGENT_RATE, RATE)
        self._begun = self._sounds = False

    def next(self, room: Samples, wanted: int) -> Samples:
        """The oldest `wanted` samples of what lies in `room`."""
        length = wanted * AGENT_RATE // RATE
        fresh = room[_AHEAD : length + _AHEAD] if self._begun else room[: length + _AHEAD]
        was_silent, self._sounds = not self._sounds, bool(fresh.any())
        if self._begun and was_silent and not self._sounds:
            return np.zeros(wanted, np.int16)
        out = self._resampler.push(fresh)
        skipped, self._begun = 0 if self._begun else _BEHIND, True
        return out[skipped:]


@dataclass(slots=True)
class _Track:
    """One person's own sound, silent while they are away."""

    path: Path
    writer: WavWriter
    _batch: list[bytes] = field(default_factory=list)
    _next: int = 0

    def write(self, start: int, samples: Samples) -> None:
        if start < 0:
            samples, start = samples[-start:], 0
        if self._batch and start != self._next:
            self.finish()
        self._batch.append(samples.tobytes())
        self._next = start + len(samples)
        if len(self._batch) >= _BATCH_TICKS:
            self.finish()

    def finish(self) -> None:
        if self._batch:
            sound = b"".join(self._batch)
            self.writer.write(self.path, MONO, self._next * MONO.block_bytes - len(sound), sound)
            self._batch.clear()

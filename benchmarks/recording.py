"""How far the two sides of a recording have come apart from the call's clock, and from each other, after an hour.

The hour is a virtual one: the recorder and the clock of a person's line are the product's, fed as fast as they go.
Every ten seconds both sides pip. The person's clock runs fast or slow, their sound comes in jerks, and some of it is
lost between pips; a line whose sound was lost is off for some seconds, until that is noticed.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import table
from rymi_server.foundation.sound.wav import Shape
from rymi_server.runtime.hearing.line_clock import LineClock
from rymi_server.runtime.recording.recorder import RATE, STEREO, TICK_MS, Recorder
from rymi_server.runtime.speaking.player import BLOCK_BYTES, BLOCK_MS
from rymi_server.runtime.speaking.player import RATE as AGENT_RATE

ZERO = 1_000.0
EVERY_S, PIP_S = 10.0, 0.4
PIECE_MS = 40
LOST_AT_S = 4.0
SKEWS = (0.0, 200e-6, -200e-6)


@dataclass
class Onsets:
    """Keeps the promise of `WavWriter`, and of what is written only where it becomes loud, in seconds."""

    found: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    _silent_from: list[int] = field(default_factory=lambda: [0, 0])

    def write(self, path: Path, shape: Shape, at: int, sound: bytes) -> None:  # noqa: ARG002 - Keeps the promise.
        both = np.frombuffer(sound, np.int16).reshape(-1, 2)
        first = at // STEREO.block_bytes
        for channel in (0, 1):
            loud = np.flatnonzero(np.abs(both[:, channel].astype(int)) > 4_000)
            if len(loud) and first + loud[0] > self._silent_from[channel] + RATE:
                self.found[channel].append((first + loud[0]) / RATE)
            if len(loud):
                self._silent_from[channel] = first + int(loud[-1])


@dataclass
class HourOfPips:
    """A person whose clock is off by `skew`, and who loses 40 ms of sound every so many seconds."""

    minutes: float = 60
    skew: float = 0.0
    loses_every_s: float = 0.0

    def record(self) -> list[float]:
        """By how many seconds each pip is off: the person's, then the agent's."""
        onsets = Onsets()
        recorder = Recorder(Path("pips"), ZERO, onsets)  # type: ignore[arg-type] # It keeps the promise that is needed.
        dice = np.random.default_rng(1)
        line, agent = LineClock(), self._agent()
        sent = 0
        for tick in range(round(self.minutes * 60_000 / TICK_MS)):
            now = (tick + 1) * TICK_MS / 1_000
            while agent and agent[0][0] <= now + 0.02:
                at, block = agent.pop(0)
                recorder.agent(ZERO + at, block)
            while sent * PIECE_MS / 1_000 * (1 - self.skew) + PIECE_MS / 1_000 <= now:
                self._piece(recorder, line, sent, dice)
                sent += 1
            recorder.tick()
        recorder.finish()
        return [at - round(at / EVERY_S) * EVERY_S for side in onsets.found for at in side]

    def _piece(self, recorder: Recorder, line: LineClock, number: int, dice: np.random.Generator) -> None:
        """The person pips when it is time, whatever their clock says; their clock says how many samples that makes."""
        began = number * PIECE_MS / 1_000 * (1 - self.skew)
        if self.loses_every_s and (began - LOST_AT_S) % self.loses_every_s < PIECE_MS / 1_000:
            return
        length = RATE * PIECE_MS // 1_000
        moments = began + np.arange(length) / RATE * (1 - self.skew)
        loud = (moments % EVERY_S < PIP_S) & (moments > 1)
        samples = np.where(loud, 8_000, 0).astype(np.int16)
        jerk = float(dice.exponential(0.004)) + (0.2 if dice.random() < 0.002 else 0.0)
        heard = line.moment(ZERO + began + PIECE_MS / 1_000 + jerk, length)
        recorder.person("somebody", heard, samples)

    def _agent(self) -> list[tuple[float, bytes]]:
        block = np.full(BLOCK_BYTES // 2, 8_000, np.int16).tobytes()
        pips = np.arange(EVERY_S, self.minutes * 60 - 1, EVERY_S)
        return [
            (float(at) + part * BLOCK_MS / 1_000, block) for at in pips for part in range(int(PIP_S * 1_000 / BLOCK_MS))
        ]


def main() -> dict[str, Any]:
    assert AGENT_RATE * BLOCK_MS // 1_000 * 2 == BLOCK_BYTES
    rows: list[list[object]] = []
    results: dict[str, Any] = {}
    for skew in SKEWS:
        began = time.process_time()
        found = HourOfPips(skew=skew, loses_every_s=60).record()
        cost = (time.process_time() - began) / 3_600 * 100
        half = len(found) // 2
        person, agent = np.array(found[:half]) * 1_000, np.array(found[half:]) * 1_000
        apart = float(np.abs(person - agent).max())
        drift = float(abs(person[-6:].mean() - person[:6].mean()))
        row = {
            "person_worst_ms": float(np.abs(person).max()),
            "agent_worst_ms": float(np.abs(agent).max()),
            "apart_ms": apart,
            "drift_ms_per_hour": drift,
            "core_percent": cost,
        }
        results[f"{skew * 1e6:+.0f} ppm"] = row
        rows.append([f"{skew * 1e6:+.0f} ppm", *row.values()])
    table(("clock", "person off, ms", "agent off, ms", "apart, ms", "drift, ms/h", "% of a core"), rows)
    print("budget: 20 ms of drift an hour")
    return results

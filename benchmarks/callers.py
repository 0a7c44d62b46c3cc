"""A caller who takes as little of the machine as can be: where callers share two cores with what is measured, half of
what each is seen to wait for would be the other callers' ears.

Sound goes past the SDK's event queue on both of its ways, and is given the time of day on the SDK's own thread.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import rtc
from tests.agent.people import LEAD_S, RATE, Caller
from tests.agent.voices import silence

from rymi_server.rooms.sdk_events import FrameSender, direct_events

_EAR_MS = 10
_PIECE_S = 0.06
_PIECE = round(RATE * _PIECE_S)
_LOUD = 500


@dataclass
class QuietCaller(Caller):
    """Needs `direct_events` in its process."""

    _stops: list[Callable[[], None]] = field(default_factory=list)

    async def leave(self) -> None:
        for stop in self._stops:
            stop()
        await super().leave()

    def _on_track(self, track: Any, publication: Any, who: rtc.RemoteParticipant) -> None:  # noqa: ARG002 - The SDK's.
        if who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            self._stops.append(direct_events().listen(track, RATE, _EAR_MS, self._hear))

    def _hear(self, pcm: bytes) -> None:
        samples = np.frombuffer(pcm, np.int16).astype(np.float32)
        self.ear.append((time.monotonic(), float(np.sqrt(np.mean(samples**2)))))

    async def _speak(self) -> None:
        sender = FrameSender(self.source)
        due, noise, sound = time.monotonic() - LEAD_S, np.random.default_rng(1), silence(0)
        played_at = 0.0
        while True:
            while len(sound) < _PIECE and self._to_say:
                sound = np.concatenate([sound, self._to_say.pop(0)])
            piece, sound = sound[:_PIECE], sound[_PIECE:]
            played_at = max(played_at, time.monotonic())
            loud = np.flatnonzero(np.abs(piece) > _LOUD)
            if len(loud) and not self.spoke_at:
                self.spoke_at = played_at + int(loud[0]) / RATE
            said = np.concatenate([piece, np.zeros(_PIECE - len(piece), np.int16)]) + noise.integers(-8, 9, _PIECE)
            sender.send(said.astype(np.int16).tobytes())
            played_at += _PIECE_S
            due += _PIECE_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))

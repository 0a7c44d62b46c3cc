"""How the agent's words are paced to its voice: by how long it has been loud, not by what its sound looks like.

The library's own measure takes some eighty transforms for every tenth of a second of speech, all at once while an
answer begins. Words only have to come neither before nor long after their sound.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from livekit import rtc
from livekit.agents import utils
from livekit.agents.voice import TranscriptSynchronizer, io

STEP_S: Final = 0.1
_LOUD: Final = 200


def synchronized(audio: io.AudioOutput, text: io.TextOutput) -> TranscriptSynchronizer:
    """Words go to `text` as their sound goes to `audio`."""
    synchronizer = TranscriptSynchronizer(next_in_chain_audio=audio, next_in_chain_text=text)
    # The library takes hyphenation from outside, but not this.
    synchronizer._opts.speaking_rate_detector = Loudness()  # type: ignore[assignment] # It only streams.
    synchronizer.rotate_segment()
    return synchronizer


@dataclass(frozen=True, slots=True)
class Rate:
    """How much is spoken in the step that ends at `timestamp`, as the library reads it."""

    timestamp: float
    speaking_rate: float


class Loudness:
    """Stands in for the library's `SpeakingRateDetector`."""

    def stream(self) -> "LoudnessStream":
        return LoudnessStream()


class LoudnessStream:
    """One segment of speech: 1 for each step in which the voice is heard, 0 for each in which it pauses."""

    def __init__(self) -> None:
        self._events: utils.aio.Chan[Rate] = utils.aio.Chan()
        self._samples = self._step = 0
        self._loudest = 0
        self._steps = 0

    def push_frame(self, frame: rtc.AudioFrame) -> None:
        whole = round(frame.sample_rate * STEP_S)
        samples = np.frombuffer(frame.data, np.int16)
        while len(samples):
            part, samples = samples[: whole - self._samples], samples[whole - self._samples :]
            self._samples += len(part)
            self._loudest = max(self._loudest, int(part.max()))
            if self._samples == whole:
                self._tell()

    def flush(self) -> None:
        """The rest of the last step counts as a whole one."""
        if self._samples:
            self._tell()

    def end_input(self) -> None:
        self.flush()
        self._events.close()

    async def aclose(self) -> None:
        self._events.close()

    def __aiter__(self) -> AsyncIterator[Rate]:
        return self

    async def __anext__(self) -> Rate:
        return await self._events.__anext__()

    def _tell(self) -> None:
        self._steps += 1
        rate = 1.0 if self._loudest > _LOUD else 0.0
        self._samples = self._loudest = 0
        if not self._events.closed:
            self._events.send_nowait(Rate(self._steps * STEP_S, rate))

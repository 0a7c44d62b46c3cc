"""Words keep step with the voice by its loudness."""

import asyncio

import numpy as np
import pytest
from livekit import rtc
from livekit.agents.voice import io

from rymi_server.runtime.session.text_pace import STEP_S, Loudness, LoudnessStream, Rate, synchronized

RATE = 24_000


def sound(seconds: float, *, loud: bool) -> rtc.AudioFrame:
    samples = np.full(round(seconds * RATE), 4_000 if loud else 3, np.int16)
    return rtc.AudioFrame(samples.tobytes(), RATE, 1, len(samples))


class Nowhere(io.AudioOutput):
    def __init__(self) -> None:
        super().__init__(label="nowhere", capabilities=io.AudioOutputCapabilities(pause=True), sample_rate=RATE)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None: ...
    def flush(self) -> None: ...
    def clear_buffer(self) -> None: ...


class Unread(io.TextOutput):
    def __init__(self) -> None:
        super().__init__(label="nowhere", next_in_chain=None)

    async def capture_text(self, text: str) -> None: ...
    def flush(self) -> None: ...


class TestLoudness:
    @pytest.mark.parametrize("piece_s", [0.01, 0.04, 0.25, 1.0])
    async def test_counts_steps_in_which_the_voice_is_heard(self, piece_s: float) -> None:
        stream = LoudnessStream()
        for loud in (True, False, True):
            for _ in range(round(1.0 / piece_s)):
                stream.push_frame(sound(piece_s, loud=loud))
        stream.end_input()
        rates = [each async for each in stream]
        assert [each.speaking_rate for each in rates] == [1.0] * 10 + [0.0] * 10 + [1.0] * 10
        assert rates[-1].timestamp == pytest.approx(3.0)

    async def test_counts_what_is_left_at_the_end(self) -> None:
        stream = LoudnessStream()
        stream.push_frame(sound(0.13, loud=True))
        stream.end_input()
        assert [each async for each in stream] == [Rate(STEP_S, 1.0), Rate(2 * STEP_S, 1.0)]


class TestTheSynchronizer:
    async def test_measures_with_it(self) -> None:
        synchronizer = synchronized(Nowhere(), Unread())
        await synchronizer.barrier()
        assert isinstance(synchronizer._opts.speaking_rate_detector, Loudness)
        assert isinstance(synchronizer._impl._audio_data.sr_stream, LoudnessStream)
        await synchronizer.aclose()
        await asyncio.sleep(0)

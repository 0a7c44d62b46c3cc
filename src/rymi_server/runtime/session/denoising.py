"""Steady noise is taken out of what a person's line brings, before anybody listens. Recordings keep it."""

from typing import Final

from livekit import rtc

from rymi_server.speech_engines.promises import HEARING_RATE

_STEP: Final = HEARING_RATE // 100
_STEP_BYTES: Final = 2 * _STEP


class Denoiser:
    """One person's: it learns what their room sounds like. The sound comes out a few milliseconds later."""

    def __init__(self) -> None:
        self._filter = rtc.AudioProcessingModule(noise_suppression=True, high_pass_filter=True)

    def __call__(self, frame: bytes) -> bytes:
        """Of whole steps of 10 ms, as WebRTC's filter takes them."""
        clean = bytearray()
        for start in range(0, len(frame), _STEP_BYTES):
            step = rtc.AudioFrame(bytearray(frame[start : start + _STEP_BYTES]), HEARING_RATE, 1, _STEP)
            self._filter.process_stream(step)
            clean += step.data.cast("B")
        return bytes(clean)

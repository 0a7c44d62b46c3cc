"""One of our voices as the session's text to speech."""

import asyncio
import time
import uuid
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Final, cast

from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectionError, APIConnectOptions, tts

from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.runtime.speaking.player import RATE
from rymi_server.speech_engines.promises import Voice

# What comes first is passed on in smaller pieces.
_FRAME_MS: Final = 200
# A sentence is passed on no further ahead of its playing. Most of a long answer that is interrupted is never needed,
# and all at once it would hold up its own beginning; but near its end it must be known how much is left.
_AHEAD_S: Final = 2.0


class SpokenVoice(tts.TTS[Any]):
    """At the rate at which calls are spoken, whatever the engine's own.

    `sounded` is told when a line was asked for and when its first sound was there.
    """

    def __init__(
        self,
        voice: Voice,
        sounded: Callable[[float, float], None] | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1)
        self.voice = voice
        self.sounded = sounded
        self.now = now

    @property
    def model(self) -> str:
        return self.voice.abilities.name

    @property
    def provider(self) -> str:
        return self.voice.abilities.name.partition(":")[0]

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Spoken(tts=self, input_text=text, conn_options=conn_options)


class _Spoken(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        spoken = cast(SpokenVoice, self._tts)
        voice, asked_at = spoken.voice, spoken.now()
        output_emitter.initialize(
            request_id=uuid.uuid4().hex,
            sample_rate=RATE,
            num_channels=1,
            mime_type="audio/pcm",
            frame_size_ms=_FRAME_MS,
        )
        resampler = PolyResampler(voice.sample_rate, RATE)
        # The first sounds at once; then never more at a time than is playing meanwhile.
        batch, made, sounded_at = b"", 0, asked_at
        per_second = 2 * voice.sample_rate
        enough = per_second * _FRAME_MS // 1_000
        try:
            async with aclosing(cast(Any, voice.speak(self._input_text))) as sounds:
                async for sound in sounds:
                    if not made and not batch:
                        sounded_at = spoken.now()
                        if spoken.sounded is not None:
                            spoken.sounded(asked_at, sounded_at)
                    batch += sound
                    if len(batch) >= min(made, enough):
                        output_emitter.push(resampler.push_bytes(batch))
                        batch, made = b"", made + len(batch)
                        ahead = made / per_second - (spoken.now() - sounded_at)
                        await asyncio.sleep(max(0.0, ahead - _AHEAD_S))
            output_emitter.push(resampler.push_bytes(batch) + resampler.flush().tobytes())
        except Unavailable as error:
            raise APIConnectionError(error.message, retryable=error.retryable) from error
        output_emitter.flush()

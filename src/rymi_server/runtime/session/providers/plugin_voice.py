"""A provider's voice: a line is sent, and sound comes back as it is made."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from livekit.agents import tts

from rymi_server.runtime.session.providers.failing import ONCE, plugin_of
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities

_SILENCE_MS: Final = 100


class PluginVoice:
    """Keeps the promise of `Voice`."""

    def __init__(self, name: str, speaker: tts.TTS[Any]) -> None:
        self._name = name
        self._speaker = speaker

    @property
    def abilities(self) -> Abilities:
        return Abilities(self._name, gives_drafts=False)

    @property
    def sample_rate(self) -> int:
        return self._speaker.sample_rate

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        if not any(sign.isalnum() for sign in text):
            # Providers refuse a text without words.
            yield bytes(self.sample_rate * _SILENCE_MS // 1_000 * 2)
            return
        silent = True
        with plugin_of(self._name):
            async with aclosing(self._speaker.synthesize(text, conn_options=ONCE)) as stream:
                async for made in stream:
                    if made.frame.samples_per_channel:
                        silent = False
                        yield made.frame.data.tobytes()
        if silent:
            raise EngineFailed(self._name, "it has sent no sound")

    async def aclose(self) -> None:
        with plugin_of(self._name):
            await self._speaker.aclose()

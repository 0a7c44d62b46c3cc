"""What a script needs of a voice, without knowing which engine it is."""

from typing import Final, Protocol

DEFAULT_VOICE: Final = "en-us"


class SpeechFailed(Exception):
    """The text could not be spoken."""


class Voices(Protocol):
    """Whoever can say a line as mu-law audio. Raises `SpeechFailed`."""

    async def say(self, text: str, voice: str = DEFAULT_VOICE) -> bytes: ...

"""What a call needs of the place it is held in: a LiveKit room, or a test with sound at hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from rymi_server.runtime.speaking.player import Line

AGENT_AUDIO_TOPIC = "rymi.agent_audio"
# Texts and states come about when an answer begins, and nobody sees that they come so much later.
SOUND_GOES_FIRST_S: Final = 0.03


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody in the room who is no agent. An observer may listen and never holds the floor."""

    identity: str
    participant_id: str | None = None
    observer: bool = False


@dataclass(frozen=True, slots=True)
class ShownText:
    """Words for the screens in the room. `identity` is the speaker's; None is the agent."""

    identity: str | None
    segment_id: str
    text: str
    final: bool
    # On the call's clock.
    started_at_ms: int


class Guests(Protocol):
    """Told by the place, from the event loop."""

    def came(self, guest: Guest) -> None: ...

    def left(self, identity: str) -> None: ...

    def listening(self) -> None:
        """Somebody gets what the agent says from now on."""
        ...

    def microphone(self, identity: str, on: bool) -> None: ...

    def heard(self, identity: str, pcm: bytes) -> None:
        """16 kHz, 16 bit, mono, in pieces of any length."""
        ...

    def typed(self, identity: str, text: str) -> None: ...

    def pressed(self, identity: str, digit: str) -> None: ...

    def closed(self, reason: str) -> None:
        """The place is gone for good."""
        ...


class CallMedia(Protocol):
    @property
    def line(self) -> Line:
        """Where the agent's voice goes."""
        ...

    async def open(self, guests: Guests) -> None:
        """Enter. Whoever is there already is told like those who come later."""
        ...

    def show(self, text: ShownText) -> None:
        """Never blocks and never fails: who cannot be shown something has missed it."""
        ...

    def signal(self, topic: str, payload: Mapping[str, Any]) -> None:
        """To everybody's programs. Never blocks and never fails."""
        ...

    def press(self, keys: str) -> None:
        """One after another, for the phones in the room. Never blocks and never fails."""
        ...

    def be(self, state: str) -> None:
        """What the agent does just now, for everybody's screens. Never blocks and never fails."""
        ...

    async def speak_to(self, identity: str | None) -> None:
        """Let this guest alone have the agent's voice and words, and return once it holds; None: everybody, at once.

        Raise `Unavailable` where it cannot be made sure of. Everybody hears again only once they are told to.
        """
        ...

    async def close(self) -> None: ...

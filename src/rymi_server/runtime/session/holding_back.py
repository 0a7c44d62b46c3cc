"""Keeps from the session what people say while the agent must not be interrupted, and passes it on afterwards.

The session forgets a turn that ends under such a sentence: it would be neither answered nor known to the model.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from livekit.agents.voice import SpeechHandle

from rymi_server.runtime.hearing.happenings import FloorClosed, FloorOpened, Happening, WordsHeard

# What makes up a turn; the rest is of no use when it is old.
_OF_A_TURN: Final = (FloorOpened, WordsHeard, FloorClosed)


@dataclass(slots=True)
class HoldingBack:
    """`play` tells the session; `current` is what the agent is saying."""

    play: Callable[[Happening], None]
    current: Callable[[], SpeechHandle | None]
    _held: list[Happening] = field(default_factory=list)
    _watched: SpeechHandle | None = None

    def tell(self, happening: Happening) -> None:
        speech = self.current()
        if speech is not None and not speech.allow_interruptions:
            self._watch(speech)
        if self._watched is None:
            self.play(happening)
        elif isinstance(happening, _OF_A_TURN):
            self._held.append(happening)

    def _watch(self, speech: SpeechHandle) -> None:
        if self._watched is not speech:
            self._watched = speech
            speech.add_done_callback(self._said)

    def _said(self, speech: SpeechHandle) -> None:
        # Once the session has put it away.
        asyncio.get_running_loop().call_soon(self._let_go, speech)

    def _let_go(self, speech: SpeechHandle) -> None:
        if self._watched is not speech:
            return
        following = self.current()
        if following is not None and following is not speech and not following.allow_interruptions:
            self._watch(following)
            return
        self._watched = None
        held, self._held = self._held, []
        for happening in held:
            self.play(happening)

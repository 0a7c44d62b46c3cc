"""Words for one guest alone: when they may begin, and that everybody hears again afterwards, whatever happens."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from rymi_server.foundation.errors import Unavailable

# Somebody is told of at once when they come in; we may see them a moment later.
_COMES_WITHIN_S: Final = 5.0


@dataclass(slots=True)
class Aside:
    """`speak_to` narrows the agent's voice to one guest and returns once it holds, or widens it again (None)."""

    speak_to: Callable[[str | None], Awaitable[None]]
    # What a participant, by their id, goes by in the room, if they are in it.
    present_as: Callable[[str], str | None]
    _identity: str | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._over.set()

    def came(self) -> None:
        """Somebody is in the room."""
        self._news.set()

    def is_with(self, identity: str) -> bool:
        return self._identity == identity

    async def over(self) -> None:
        """Wait until everybody hears the agent."""
        await self._over.wait()

    @contextlib.asynccontextmanager
    async def alone_with(self, participant_id: str) -> AsyncIterator[str | None]:
        """Within, nobody else hears the agent. Gives why this cannot be; then nothing must be said."""
        identity = await self._arrival(participant_id)
        if identity is None:
            yield "they are not in the room"
            return
        self._identity = identity
        self._over.clear()
        try:
            yield await self._narrowed(participant_id, identity)
        finally:
            self._identity = None
            await self.speak_to(None)
            self._over.set()

    async def _narrowed(self, participant_id: str, identity: str) -> str | None:
        try:
            await self.speak_to(identity)
        except Unavailable as error:
            return error.message
        return None if self.present_as(participant_id) else "they have left"

    async def _arrival(self, participant_id: str) -> str | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_COMES_WITHIN_S):
                while (identity := self.present_as(participant_id)) is None:
                    self._news.clear()
                    await self._news.wait()
                return identity
        return None

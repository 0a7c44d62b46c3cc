"""Who in a LiveKit room gets the agent's voice and words: everybody, or one alone.

The room's server keeps it. That it has taken it in shows by an attribute of ours: requests of one participant are
carried out in the order in which they come, so one that comes later and is seen done proves the earlier one.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from livekit import rtc
from livekit.rtc import ParticipantTrackPermission

from rymi_server.foundation.errors import Unavailable
from rymi_server.runtime.session.media import ShownText

_ATTRIBUTE: Final = "rymi.hearers"
_TAKES_AT_MOST_S: Final = 5.0


class NotInPrivate(Unavailable):
    """The room's server did not say in time that nobody else hears us."""

    code = "not_in_private"

    def __init__(self) -> None:
        super().__init__("The room did not make the agent's voice private in time.", retryable=True)


class Hearers:
    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._only: str | None = None
        self._segments: dict[str, str] = {}
        self._asked = 0

    async def narrow(self, identity: str) -> None:
        """Until `widen`, only this guest hears. Returns once it holds. Raise `NotInPrivate`."""
        self._only = identity
        self._room.local_participant.set_track_subscription_permissions(
            allow_all_participants=False,
            participant_permissions=[ParticipantTrackPermission(participant_identity=identity, allow_all=True)],
        )
        # The SDK sends both in the background. Once the first answer is here the wish is surely on its way, and the
        # second question comes behind it.
        for _ in range(2):
            await self._answered()

    def widen(self) -> None:
        if self._only is not None:
            self._only = None
            self._room.local_participant.set_track_subscription_permissions(allow_all_participants=True)

    def of(self, text: ShownText) -> list[str] | None:
        """Who is shown this text; None is everybody. What was begun for one alone ends for them alone."""
        if text.identity is not None:
            return None
        if self._only is not None:
            self._segments.setdefault(text.segment_id, self._only)
        found = self._segments.pop(text.segment_id, None) if text.final else self._segments.get(text.segment_id)
        return [found] if found is not None else None

    async def _answered(self) -> None:
        self._asked += 1
        mark, done = str(self._asked), asyncio.Event()
        me = self._room.local_participant

        def changed(attributes: Mapping[str, Any], who: rtc.Participant) -> None:
            if who.identity == me.identity and attributes.get(_ATTRIBUTE) == mark:
                done.set()

        self._room.on("participant_attributes_changed", changed)
        try:
            async with asyncio.timeout(_TAKES_AT_MOST_S):
                await me.set_attributes({_ATTRIBUTE: mark})
                await done.wait()
        except TimeoutError as error:
            raise NotInPrivate from error
        finally:
            self._room.off("participant_attributes_changed", changed)

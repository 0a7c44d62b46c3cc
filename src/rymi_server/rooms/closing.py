"""Closes the room of a call that is over. Whoever is still connected is disconnected by it."""

from collections.abc import Mapping
from typing import Any

import aiohttp
from livekit.api import DeleteRoomRequest, LiveKitAPI, ServerError

from rymi_server.calls.facts import CallEnded
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import CallId
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.naming import room_name

HTTP_NOT_FOUND = 404
CLOSE_ROOM = JobKind("rooms", "close_room", attempts=8, backoff=Backoff(first_ms=500))


class LiveKitUnavailable(Unavailable):
    status, code = 502, "livekit_unavailable"


async def close_when_call_ended(tx: Transaction, fact: CallEnded) -> None:
    job = NewJob({"call_id": fact.call_id, "tenant_id": fact.tenant_id}, id=f"close-{fact.call_id}")
    await enqueue(tx, CLOSE_ROOM, job)


class RoomCloser:
    """Closes rooms over LiveKit's server API."""

    def __init__(self, livekit: LiveKit, http: aiohttp.ClientSession) -> None:
        self._livekit = livekit
        self._http = http

    async def __call__(self, job: Mapping[str, Any]) -> None:
        await self.close(CallId(job["call_id"]))

    async def close(self, call_id: CallId) -> None:
        """A room that is not there is closed: nobody came, or it was closed before."""
        api = LiveKitAPI(self._livekit.url, self._livekit.api_key, self._livekit.api_secret, session=self._http)
        try:
            await api.room.delete_room(DeleteRoomRequest(room=room_name(call_id)))
        except ServerError as error:
            if error.status != HTTP_NOT_FOUND:
                raise LiveKitUnavailable(
                    f"LiveKit refused to close a room: {error.code}.", retryable=error.status >= 500
                ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise LiveKitUnavailable("LiveKit cannot be reached.", retryable=True) from error

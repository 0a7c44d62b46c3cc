"""Webhooks: what happened in rooms, signed and delivered. A room's events arrive in order; a slow or dead receiver
delays nobody but itself, and loses its oldest news once its backlog is full."""

import asyncio
import logging
import time
import zlib
from dataclasses import dataclass, field

import aiohttp
from google.protobuf import json_format
from livekit.protocol import models, webhook

from roomlet.identifiers import new_id
from roomlet.metrics import Counters
from roomlet.participant import Participant
from roomlet.room import Room
from roomlet.tokens import Keyring
from roomlet.tracks import PublishedTrack

log = logging.getLogger(__name__)
LANES = 8
"""Deliveries to one receiver that go on at once. One room always uses the same lane."""
ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.2


@dataclass(slots=True)
class _Lane:
    url: str
    waiting: asyncio.Queue[webhook.WebhookEvent]
    dropped: int = 0
    task: asyncio.Task[None] | None = field(default=None)


class Webhooks:
    """Listens to rooms. Nothing here waits for a receiver except its own lanes."""

    def __init__(
        self, urls: tuple[str, ...], keyring: Keyring, counters: Counters, backlog: int, timeout_seconds: float
    ) -> None:
        self._keyring, self._counters = keyring, counters
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._http: aiohttp.ClientSession | None = None
        share = max(1, backlog // LANES)
        self._receivers = [[_Lane(url, asyncio.Queue(share)) for _ in range(LANES)] for url in urls]

    async def open(self) -> None:
        if not self._receivers:
            return
        self._http = aiohttp.ClientSession(timeout=self._timeout)
        for lanes in self._receivers:
            for lane in lanes:
                lane.task = asyncio.get_running_loop().create_task(self._deliver_all(lane))

    async def close(self, seconds: float = 2.0) -> None:
        """Gives what is under way a moment, then stops."""
        lanes = [lane for lanes in self._receivers for lane in lanes]
        if lanes:
            joins = [asyncio.ensure_future(lane.waiting.join()) for lane in lanes]
            _, late = await asyncio.wait(joins, timeout=seconds)
            for join in late:
                join.cancel()
        tasks = [lane.task for lane in lanes if lane.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()

    # --- what rooms report

    def on_room_opened(self, room: Room) -> None:
        self._announce(webhook.WebhookEvent(event="room_started", room=room.info()), room)

    def on_participant_active(self, room: Room, participant: Participant) -> None:
        event = webhook.WebhookEvent(event="participant_joined", room=room.info(), participant=participant.info())
        self._announce(event, room)

    def on_track_published(self, room: Room, track: PublishedTrack, participant: Participant) -> None:
        self._announce(_track_event("track_published", room, track, participant), room)

    def on_track_unpublished(self, room: Room, track: PublishedTrack, participant: Participant) -> None:
        self._announce(_track_event("track_unpublished", room, track, participant), room)

    def on_participant_left(self, room: Room, participant: Participant) -> None:
        name = "participant_left" if participant.has_been_active else "participant_connection_aborted"
        event = webhook.WebhookEvent(event=name, room=room.info(), participant=participant.info())
        self._announce(event, room)

    def on_signal_lost(self, room: Room, participant: Participant) -> None:
        """Not an event of LiveKit's: the participant may resume."""

    def on_room_closed(self, room: Room, reason: models.RoomEndReason) -> None:
        event = webhook.WebhookEvent(event="room_finished", room=room.info(), room_end_reason=reason)
        self._announce(event, room)

    # --- delivery

    def _announce(self, event: webhook.WebhookEvent, room: Room) -> None:
        event.id, event.created_at = new_id("EV_"), int(time.time())
        for lanes in self._receivers:
            lane = lanes[zlib.crc32(room.name.encode()) % LANES]
            if lane.waiting.full():
                lane.waiting.get_nowait()
                lane.waiting.task_done()
                lane.dropped += 1
                self._counters.webhooks_dropped += 1
            lane.waiting.put_nowait(event)

    async def _deliver_all(self, lane: _Lane) -> None:
        while True:
            event = await lane.waiting.get()
            try:
                await self._deliver(lane, event)
            finally:
                lane.waiting.task_done()

    async def _deliver(self, lane: _Lane, event: webhook.WebhookEvent) -> None:
        copy = webhook.WebhookEvent()
        copy.CopyFrom(event)
        copy.num_dropped = lane.dropped
        body = json_format.MessageToJson(copy, indent=None).encode()
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(FIRST_PAUSE_SECONDS * 4 ** (attempt - 1))
            if await self._post(lane.url, body):
                lane.dropped -= copy.num_dropped
                self._counters.webhooks_delivered += 1
                return
        self._counters.webhooks_failed += 1
        log.warning("a webhook was given up", extra={"event": event.event, "receiver": lane.url})

    async def _post(self, url: str, body: bytes) -> bool:
        """True unless another attempt may help: a receiver that refuses an event will refuse it again."""
        assert self._http is not None
        headers = {
            "Authorization": self._keyring.for_webhook(body, time.time()),
            "Content-Type": "application/webhook+json",
        }
        try:
            async with self._http.post(url, data=body, headers=headers) as response:
                return response.status < 500
        except (aiohttp.ClientError, TimeoutError):
            return False


def _track_event(name: str, room: Room, track: PublishedTrack, participant: Participant) -> webhook.WebhookEvent:
    """LiveKit names room and participant of a track event, and tells no more of them."""
    return webhook.WebhookEvent(
        event=name,
        room=models.Room(sid=room.sid, name=room.name),
        participant=models.ParticipantInfo(sid=participant.sid, identity=participant.identity),
        track=track.info,
    )

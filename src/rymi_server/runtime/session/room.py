"""A LiveKit room as the place of a call."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

import structlog
from livekit import rtc

from rymi_server.rooms.naming import PARTICIPANT_ATTRIBUTE
from rymi_server.rooms.sdk_events import FrameSender, direct_events
from rymi_server.runtime.recording.recorder import RATE as HEARING_RATE
from rymi_server.runtime.session.hearers import Hearers
from rymi_server.runtime.session.media import SOUND_GOES_FIRST_S, Guest, Guests, ShownText
from rymi_server.runtime.speaking.player import RATE
from rymi_server.runtime.thinking.tools import KEYS

log = structlog.get_logger(__name__)

TRANSCRIPTION_TOPIC: Final = "lk.transcription"
CHAT_TOPIC: Final = "lk.chat"
STATE_ATTRIBUTE: Final = "lk.agent.state"
_HUMANS: Final = (
    rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    rtc.ParticipantKind.PARTICIPANT_KIND_CONNECTOR,
)
_FRAME_MS: Final = 20
_QUEUE_MS: Final = 200
_MOST_CHAT_CHARACTERS: Final = 4_000
_MOST_TASKS: Final = 200
# For the last of what was said to get to the screens, where the room still takes it.
_LAST_WORDS_S: Final = 0.2
# Machines at the other end of a phone tell keys apart by the pause between them.
_KEY_S: Final = 0.3


class RoomLine:
    """Our track. Keeps the promise of `Line`."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=_QUEUE_MS)
        self._sender = FrameSender(self.source)
        self._now = now
        self._played_at = 0.0

    @property
    def queued_s(self) -> float:
        return max(0.0, self._played_at - self._now())

    async def push(self, block: bytes) -> None:
        self._played_at = max(self._played_at, self._now()) + len(block) / 2 / RATE
        self._sender.send(block)

    def clear(self) -> None:
        self._played_at = 0.0
        self.source.clear_queue()


class LiveKitRoom:
    """Keeps the promise of `CallMedia`. `connect` enters `room`, which must not have been entered."""

    def __init__(self, room: rtc.Room, connect: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._room = room
        self._connect = connect
        self._line = RoomLine()
        # Which microphone of theirs is read, and what stops it.
        self._readers: dict[str, tuple[str, Callable[[], None]]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._shown: dict[str, asyncio.Task[None]] = {}
        self._state = ""
        self._showing: asyncio.Task[None] | None = None
        self._pressing: asyncio.Task[None] | None = None
        self._hearers = Hearers(room)

    @property
    def line(self) -> RoomLine:
        return self._line

    async def open(self, guests: Guests) -> None:
        room = self._room
        room.on("participant_connected", lambda who: self._came(guests, who))
        room.on("participant_disconnected", lambda who: self._left(guests, who))
        room.on("track_subscribed", lambda track, _, who: self._track(guests, track, who))
        room.on("track_unsubscribed", lambda track, _, who: self._track_gone(guests, track, who))
        room.on("sip_dtmf_received", lambda event: self._key(guests, event))
        room.on("disconnected", lambda reason: guests.closed(_reason(reason)))
        room.register_text_stream_handler(CHAT_TOPIC, lambda reader, who: self._chat(guests, reader, who))
        await self._connect()
        if self._state:
            self.be(self._state)
        track = rtc.LocalAudioTrack.create_audio_track("agent", self._line.source)
        # Silence costs next to nothing this way, here and for everybody who hears it.
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True)
        publication = await room.local_participant.publish_track(track, options)
        for participant in list(room.remote_participants.values()):
            self._came(guests, participant)
            for published in participant.track_publications.values():
                if published.track is not None:
                    self._track(guests, published.track, participant)
        self._spawn(self._tell_of_listeners(guests, publication))

    def show(self, text: ShownText) -> None:
        """One after another for each segment, so that the final comes last."""
        before = self._shown.get(text.segment_id)
        if before is not None and not before.done() and not text.final:
            return  # The line is slower than the drafts.
        task = self._spawn(self._send_text(text, before, self._hearers.of(text)))
        if task is not None:
            self._shown[text.segment_id] = task
        for segment_id in [each for each, sent in self._shown.items() if sent.done()]:
            del self._shown[segment_id]

    def signal(self, topic: str, payload: Mapping[str, Any]) -> None:
        self._spawn(self._send_data(topic, json.dumps(payload)))

    def press(self, keys: str) -> None:
        self._pressing = self._spawn(self._press(keys, self._pressing))

    def be(self, state: str) -> None:
        """One after another, and the last wins: states that changed on the way are not shown any more."""
        self._state = state
        if self._room.isconnected() and (self._showing is None or self._showing.done()):
            self._showing = self._spawn(self._send_state())

    async def speak_to(self, identity: str | None) -> None:
        if identity is None:
            self._hearers.widen()
        else:
            await self._hearers.narrow(identity)

    async def close(self) -> None:
        for identity in list(self._readers):
            self._stop_reading(identity)
        if self._tasks and self._room.isconnected():
            await asyncio.wait(self._tasks, timeout=_LAST_WORDS_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._room.disconnect()
        await self._line.source.aclose()

    # --- what the room tells -----------------------------------------------------------------------------------------

    def _came(self, guests: Guests, participant: rtc.RemoteParticipant) -> None:
        if participant.kind in _HUMANS:
            guests.came(_guest(participant))

    def _left(self, guests: Guests, participant: rtc.RemoteParticipant) -> None:
        if participant.kind in _HUMANS:
            self._stop_reading(participant.identity)
            guests.left(participant.identity)

    def _track(self, guests: Guests, track: Any, participant: rtc.RemoteParticipant) -> None:
        """Of two microphones the first is read while it is there: the new one often comes before the old one goes."""
        if not _is_voice(track, participant) or participant.identity in self._readers:
            return
        identity, loop = participant.identity, asyncio.get_running_loop()
        guests.microphone(identity, True)

        def hear(pcm: bytes) -> None:
            loop.call_soon_threadsafe(guests.heard, identity, pcm)

        self._readers[identity] = track.sid, direct_events().listen(track, HEARING_RATE, _FRAME_MS, hear)

    def _track_gone(self, guests: Guests, track: Any, participant: rtc.RemoteParticipant) -> None:
        identity = participant.identity
        if identity not in self._readers or self._readers[identity][0] != track.sid:
            return
        self._stop_reading(identity)
        for other in [each.track for each in participant.track_publications.values()]:
            if other is not None and other.sid != track.sid:
                self._track(guests, other, participant)
        if identity not in self._readers:
            guests.microphone(identity, False)

    def _stop_reading(self, identity: str) -> None:
        if (reader := self._readers.pop(identity, None)) is not None:
            reader[1]()

    def _key(self, guests: Guests, event: rtc.SipDTMF) -> None:
        if event.participant is not None:
            guests.pressed(event.participant.identity, event.digit)

    def _chat(self, guests: Guests, reader: rtc.TextStreamReader, identity: str) -> None:
        self._spawn(self._read_chat(guests, reader, identity))

    async def _read_chat(self, guests: Guests, reader: rtc.TextStreamReader, identity: str) -> None:
        text = ""
        # A sender who goes in the middle of it has said nothing.
        with contextlib.suppress(rtc.StreamError):
            async for part in reader:
                text += part
                if len(text) > _MOST_CHAT_CHARACTERS:
                    break
            guests.typed(identity, text)

    async def _tell_of_listeners(self, guests: Guests, publication: rtc.LocalTrackPublication) -> None:
        await publication.wait_for_subscription()
        guests.listening()

    # --- what we send ------------------------------------------------------------------------------------------------

    async def _send_text(self, text: ShownText, before: "asyncio.Task[None] | None", hearers: list[str] | None) -> None:
        await asyncio.sleep(SOUND_GOES_FIRST_S)
        if before is not None:
            await asyncio.wait([before])
        me = self._room.local_participant
        attributes = {
            "lk.segment_id": text.segment_id,
            "lk.transcription_final": "true" if text.final else "false",
            "rymi.started_at_ms": str(text.started_at_ms),
        }
        if (track := self._track_of(text.identity)) is not None:
            attributes["lk.transcribed_track_id"] = track
        writer = await me.stream_text(
            topic=TRANSCRIPTION_TOPIC,
            sender_identity=text.identity or me.identity,
            attributes=attributes,
            destination_identities=hearers,
        )
        await writer.write(text.text)
        await writer.aclose()

    async def _send_state(self) -> None:
        sent = ""
        await asyncio.sleep(SOUND_GOES_FIRST_S)
        while sent != self._state:
            sent = self._state
            await self._room.local_participant.set_attributes({STATE_ATTRIBUTE: sent})

    async def _press(self, keys: str, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait([before])
        for key in keys:
            await self._room.local_participant.publish_dtmf(code=KEYS.index(key), digit=key)
            await asyncio.sleep(_KEY_S)

    async def _send_data(self, topic: str, payload: str) -> None:
        await self._room.local_participant.publish_data(payload, reliable=True, topic=topic)

    def _track_of(self, identity: str | None) -> str | None:
        who = self._room.local_participant if identity is None else self._room.remote_participants.get(identity)
        publications = who.track_publications.values() if who is not None else ()
        return next((each.sid for each in publications if each.kind == rtc.TrackKind.KIND_AUDIO), None)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
        if len(self._tasks) >= _MOST_TASKS:
            work.close()  # The room takes nothing any more; what is said in it must not pile up here.
            return None
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._sent)
        return task

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("room_did_not_take_it", error=repr(error))


def _guest(participant: rtc.RemoteParticipant) -> Guest:
    permission = getattr(participant, "permissions", None)
    observer = permission is not None and not permission.can_publish
    return Guest(participant.identity, participant.attributes.get(PARTICIPANT_ATTRIBUTE), observer)


def _is_voice(track: Any, participant: rtc.RemoteParticipant) -> bool:
    if track.kind != rtc.TrackKind.KIND_AUDIO or participant.kind not in _HUMANS:
        return False
    sources = [each.source for each in participant.track_publications.values() if each.sid == track.sid]
    return rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO not in sources


def _reason(reason: object) -> str:
    try:
        return f"room_{rtc.DisconnectReason.Name(reason).lower()}"  # type: ignore[arg-type] # An open enum.
    except (ValueError, TypeError):
        return "room_closed"

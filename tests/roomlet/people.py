"""Participants on LiveKit's Python SDK, with ears."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from livekit import api, rtc
from tests.roomlet import tones
from tests.roomlet.waiting import LOOK_AGAIN_SECONDS, NeverHappened, eventually, within

QUIET_SECONDS = 1.0
# LiveKit collects the news of people who publish nothing for three seconds. Roomlet tells them at once.
NEWS_SECONDS = 5.0


class Server(Protocol):
    """Any LiveKit server."""

    @property
    def url(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def secret(self) -> str: ...


def new_name(prefix: str = "room") -> str:
    return f"{prefix}-{secrets.token_hex(4)}"


def token(server: Server, room: str, identity: str, *, kind: Literal["agent"] | None = None, **grants: Any) -> str:
    video = api.VideoGrants(**{"room_join": True, "room": room, "can_update_own_metadata": True, **grants})
    minted = api.AccessToken(server.key, server.secret).with_identity(identity).with_grants(video)
    return (minted.with_kind(kind) if kind else minted).to_jwt()


@contextlib.asynccontextmanager
async def administration(server: Server) -> AsyncIterator[api.LiveKitAPI]:
    client = api.LiveKitAPI(server.url.replace("ws", "http", 1), server.key, server.secret)
    try:
        yield client
    finally:
        await client.aclose()


@dataclass
class Person:
    """Somebody in a room: what reached them is kept, in order."""

    server: Server
    room_name: str
    identity: str
    room: rtc.Room = field(default_factory=rtc.Room)
    data: asyncio.Queue[rtc.DataPacket] = field(default_factory=asyncio.Queue)
    digits: asyncio.Queue[rtc.SipDTMF] = field(default_factory=asyncio.Queue)
    texts: asyncio.Queue[tuple[str, str]] = field(default_factory=asyncio.Queue)
    happened: list[tuple[str, str]] = field(default_factory=list)
    _playing: list[asyncio.Task[None]] = field(default_factory=list)
    _reading: set[asyncio.Task[None]] = field(default_factory=set)

    async def join(self, *, minted: str = "", options: rtc.RoomOptions | None = None, **grants: Any) -> "Person":
        on = self.room.on
        on("data_received", self.data.put_nowait)
        on("sip_dtmf_received", self.digits.put_nowait)
        on("participant_connected", lambda p: self._note("joined", p.identity))
        on("participant_disconnected", lambda p: self._note("left", p.identity))
        on("track_published", lambda _, p: self._note("published", p.identity))
        on("track_unpublished", lambda _, p: self._note("unpublished", p.identity))
        on("track_muted", lambda p, _: self._note("muted", p.identity))
        on("track_unmuted", lambda p, _: self._note("unmuted", p.identity))
        on("room_metadata_changed", lambda _, new: self._note("room metadata", new))
        on("participant_metadata_changed", lambda p, _, new: self._note("metadata", f"{p.identity}={new}"))
        on("participant_attributes_changed", lambda new, p: self._note("attributes", f"{p.identity}={new}"))
        on("active_speakers_changed", lambda s: self._note("speaking", ",".join(p.identity for p in s)))
        on("reconnecting", lambda: self._note("reconnecting", ""))
        on("reconnected", lambda: self._note("reconnected", ""))
        on("disconnected", lambda reason: self._note("disconnected", rtc.DisconnectReason.Name(reason)))
        self.room.register_text_stream_handler("chat", self._on_text)
        use = minted or token(self.server, self.room_name, self.identity, **grants)
        url = self.server.url
        await within(f"{self.identity} joins", self.room.connect(url, use, options or rtc.RoomOptions()), 20)
        return self

    async def play(self, hz: float, **options: Any) -> rtc.LocalTrackPublication:
        source = rtc.AudioSource(tones.RATE, 1, queue_size_ms=100)
        track = rtc.LocalAudioTrack.create_audio_track(f"{hz:.0f} Hz", source)
        published = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, **options)
        publication = await within("the tone is published", self.room.local_participant.publish_track(track, published))
        self._playing.append(asyncio.create_task(_feed(source, hz)))
        return publication

    def tracks(self) -> dict[str, rtc.RemoteTrack]:
        """Audio that arrives here, by who sends it."""
        return {
            person.identity: publication.track
            for person in self.room.remote_participants.values()
            for publication in person.track_publications.values()
            if publication.track is not None
        }

    async def hears(self, identity: str, hz: float, seconds: float = 10.0) -> None:
        """Waits until what arrives from somebody is that tone."""
        await eventually(f"{self.identity} is subscribed to {identity}", lambda: identity in self.tracks(), seconds)
        heard: list[str] = []

        async def hears_it_in(track: rtc.RemoteTrack) -> bool:
            async for frequency, loudness in self._windows(track):
                heard.append(f"{frequency:.0f} Hz at {loudness:.0f}")
                if abs(frequency - hz) < 6 and loudness > tones.AUDIBLE:
                    return True
                if self.tracks().get(identity) is not track:
                    return False
            return False

        async def listen() -> None:
            """To whichever track is theirs by now: one that was taken back may stay silent for ever."""
            while True:
                with contextlib.suppress(TimeoutError, KeyError):
                    async with asyncio.timeout(2):
                        if await hears_it_in(self.tracks()[identity]):
                            return
                await asyncio.sleep(LOOK_AGAIN_SECONDS)

        try:
            await within("", listen(), seconds)
        except NeverHappened:
            raise NeverHappened(f"{self.identity} wanted {hz} Hz from {identity} and heard {heard[-5:]}") from None

    async def hears_silence(self, identity: str, seconds: float = 10.0) -> None:
        quiet = 0

        async def listen() -> None:
            nonlocal quiet
            async for _, loudness in self._windows(self.tracks()[identity]):
                quiet = quiet + 1 if loudness < tones.AUDIBLE else 0
                if quiet == 2:
                    return

        await within(f"{self.identity} hears nothing from {identity}", listen(), seconds)

    async def hears_no_more_of(self, identity: str, seconds: float = 10.0) -> None:
        """Waits until nothing audible has come for a while: silence, or nothing at all."""
        now = asyncio.get_running_loop().time
        loud_at = now()

        async def listen() -> None:
            nonlocal loud_at
            async for _, loudness in self._windows(self.tracks()[identity]):
                loud_at = now() if loudness >= tones.AUDIBLE else loud_at

        listening = asyncio.create_task(listen())
        try:
            what = f"{self.identity} hears no more of {identity}"
            await eventually(what, lambda: now() - loud_at > QUIET_SECONDS, seconds)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _windows(self, track: rtc.RemoteTrack) -> AsyncIterator[tuple[float, float]]:
        stream = rtc.AudioStream(track, sample_rate=tones.RATE, num_channels=1)
        samples = np.zeros(0, dtype=np.int16)
        try:
            async for event in stream:
                samples = np.concatenate([samples, np.frombuffer(event.frame.data, dtype=np.int16)])
                if len(samples) >= tones.WINDOW:
                    yield tones.loudest(samples)
                    samples = samples[:0]
        finally:
            await stream.aclose()

    async def saw(self, *event: str, seconds: float = 10.0) -> None:
        expected = (event[0], event[1] if len(event) > 1 else "")
        try:
            await eventually("", lambda: expected in self.happened, seconds)
        except NeverHappened:
            raise NeverHappened(f"{self.identity} never saw {expected}, only {self.happened}") from None

    async def saw_published(self, identity: str) -> None:
        """Whoever came later finds the track there without an event."""
        people = self.room.remote_participants
        await eventually(
            f"{self.identity} knows a track of {identity}",
            lambda: identity in people and people[identity].track_publications,
        )

    async def leave(self) -> None:
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)
        await within(f"{self.identity} leaves", self.room.disconnect())

    def _note(self, event: str, about: str) -> None:
        self.happened.append((event, about))

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            self.texts.put_nowait((identity, await reader.read_all()))

        task = asyncio.create_task(read())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)


async def _feed(source: rtc.AudioSource, hz: float) -> None:
    for frame in tones.tone(hz):
        await source.capture_frame(rtc.AudioFrame(frame, tones.RATE, 1, tones.FRAME))


Gather = Callable[..., Awaitable[Person]]


@contextlib.asynccontextmanager
async def gathering(server: Server, room: str) -> AsyncIterator[Gather]:
    """A way to let people into one room, all of whom leave in the end."""
    people: list[Person] = []

    async def come(identity: str, **how: Any) -> Person:
        person = Person(server, room, identity)
        people.append(person)
        return await person.join(**how)

    try:
        yield come
    finally:
        for person in people:
            await person.leave()

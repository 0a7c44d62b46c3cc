"""A participant in the room, as any web page is one: it speaks what its mouth says and listens to everybody else."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from livekit import rtc
from livekit.rtc.participant import PublishTrackError

from rymi_server.entrypoints.calling.account import CannotCall
from rymi_server.entrypoints.calling.sounds import FRAME_SAMPLES, RATE, Mouth
from rymi_server.entrypoints.ports import is_listened_at
from rymi_server.foundation.sound.levels import level_db
from rymi_server.rooms.sdk_proxies import reach_rooms_directly

_AUDIBLE_DB = -50.0
_QUEUED_MS = 60
_ENTERS_WITHIN_SECONDS = 20
# `rymi up` answers for its API a second or two before its rooms are there.
_COMES_UP_WITHIN_SECONDS: Final = 5.0
_LOOKS_EVERY_SECONDS: Final = 0.1


class Hearing:
    """When others were last heard."""

    def __init__(self, play: Callable[[bytes], None] = lambda _: None) -> None:
        self._play = play
        self.loud_at: float | None = None

    def take(self, sound: bytes) -> None:
        self._play(sound)
        if level_db(sound) > _AUDIBLE_DB:
            self.loud_at = time.monotonic()

    @property
    def quiet_seconds(self) -> float:
        return time.monotonic() - self.loud_at if self.loud_at is not None else float("inf")


class Caller:
    def __init__(self, mouth: Mouth, hearing: Hearing) -> None:
        self._mouth, self.hearing = mouth, hearing
        self._room = rtc.Room()
        self._tasks: set[asyncio.Task[None]] = set()
        self.put_out = asyncio.Event()

    async def enter(self, url: str, token: str, comes_up_within: float = _COMES_UP_WITHIN_SECONDS) -> None:
        """Raise `CannotCall` where the room does not let us in."""
        self._room.on("track_subscribed", self._on_track)
        self._room.on("disconnected", lambda _: self.put_out.set())
        source = rtc.AudioSource(RATE, 1, queue_size_ms=_QUEUED_MS)
        try:
            async with asyncio.timeout(_ENTERS_WITHIN_SECONDS):
                await _comes_up(url, comes_up_within)
                reach_rooms_directly(url)
                await self._room.connect(url, token)
                track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
                options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
                await self._room.local_participant.publish_track(track, options)
        except (rtc.ConnectError, PublishTrackError, TimeoutError) as error:
            raise CannotCall(f"The room at {url} does not let us in: {str(error) or 'it does not answer'}.") from error
        self._begin(self._speak(source))

    async def leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    def _on_track(self, track: rtc.Track, *_: object) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._begin(self._listen(track))

    async def _listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=20)
        async with _closing(stream):
            async for event in stream:
                self.hearing.take(bytes(event.frame.data))

    async def _speak(self, source: rtc.AudioSource) -> None:
        """The queue of the source keeps the time."""
        while True:
            await source.capture_frame(rtc.AudioFrame(self._mouth.frame(), RATE, 1, FRAME_SAMPLES))

    def _begin(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _comes_up(url: str, within_seconds: float) -> None:
    """Where nobody listens in time, whoever connects next will say so."""
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        if await is_listened_at(url):
            return
        await asyncio.sleep(_LOOKS_EVERY_SECONDS)


@contextlib.asynccontextmanager
async def _closing(stream: rtc.AudioStream) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await stream.aclose()

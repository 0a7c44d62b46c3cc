"""Callers in a real room: an SDK participant with a live microphone and a timed ear."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from livekit import api, rtc
from tests.agent.patience import eventually
from tests.agent.voices import Samples, silence
from tests.roomlet.waiting import within

RATE = 16_000
FRAME = 160
# So much of what is said lies ready at the source: a machine that is busy for a moment must not chop up words.
LEAD_S = 0.25


@dataclass
class Caller:
    identity: str
    url: str
    key: str
    secret: str
    room_name: str
    room: rtc.Room = field(default_factory=rtc.Room)
    # When the agent was how loud, per 10 ms.
    ear: list[tuple[float, float]] = field(default_factory=list)
    texts: list[tuple[str, str, bool]] = field(default_factory=list)
    packets: list[tuple[float, str, bytes]] = field(default_factory=list)
    happened: list[tuple[float, str, str]] = field(default_factory=list)
    spoke_at: float = 0.0
    _to_say: list[Samples] = field(default_factory=list)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    _streams: list[rtc.AudioStream] = field(default_factory=list)

    async def join(self, *, listens_only: bool = False) -> None:
        room = self.room
        room.on("track_subscribed", self._on_track)
        room.on("participant_connected", lambda who: self._note("came", who.identity))
        room.on("participant_disconnected", lambda who: self._note("left", who.identity))
        room.on("data_received", lambda packet: self.packets.append((time.monotonic(), packet.topic, packet.data)))
        room.register_text_stream_handler(
            "lk.transcription", lambda reader, who: self._tasks.append(asyncio.ensure_future(self._read(reader, who)))
        )
        grants = api.VideoGrants(room_join=True, room=self.room_name, can_publish=not listens_only, can_subscribe=True)
        token = (
            api.AccessToken(self.key, self.secret)
            .with_identity(self.identity)
            .with_grants(grants)
            .with_attributes({"rymi.participant_id": f"id-{self.identity}"})
        )
        await within("the caller joins", room.connect(self.url, token.to_jwt()), 20)
        for who in room.remote_participants.values():
            self._note("present", who.identity)
        if not listens_only:
            self.microphone = await self._publish()
            self._tasks.append(asyncio.create_task(self._speak()))

    async def change_microphone(self) -> None:
        """As programs do it: the old one goes once the new one is heard."""
        old, self.microphone = self.microphone, await self._publish()
        await within("the new one is heard", self.microphone.wait_for_subscription(), 20)
        await self.room.local_participant.unpublish_track(old.sid)

    async def _publish(self) -> rtc.LocalTrackPublication:
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=round(LEAD_S * 2_000))
        track = rtc.LocalAudioTrack.create_audio_track("mic", self.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        return await self.room.local_participant.publish_track(track, options)

    def say(self, sound: Samples, after_s: float = 0.0) -> float:
        self.spoke_at = 0.0
        self._to_say.append(np.concatenate([silence(after_s), sound]))
        return after_s + len(sound) / RATE

    def heard(self, since: float, level: float = 200) -> list[float]:
        return [at for at, loudness in self.ear if at >= since and loudness > level]

    async def hears_agent(self, since: float, seconds: float = 40) -> float:
        await eventually(f"{self.identity} hears the agent", lambda: self.heard(since), seconds)
        return self.heard(since)[0]

    async def hears_silence(self, quiet_s: float = 0.7, seconds: float = 40) -> None:
        await eventually("the agent is silent", lambda: not self.heard(time.monotonic() - quiet_s), seconds)

    def finals(self, who: str) -> int:
        """How many whole lines of theirs were shown to us."""
        return sum(final and identity.startswith(who) for identity, _, final in self.texts)

    def silent_from(self, since: float, gap_s: float = 0.15) -> float:
        last = since
        for at in self.heard(since):
            if at - last > gap_s:
                break
            last = at
        return last

    async def leave(self) -> None:
        for stream in self._streams:
            await stream.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.room.disconnect()

    def _note(self, what: str, who: str) -> None:
        self.happened.append((time.monotonic(), what, who))

    async def _read(self, reader: rtc.TextStreamReader, who: str) -> None:
        with contextlib.suppress(ConnectionError):
            text = await reader.read_all()
            final = (reader.info.attributes or {}).get("lk.transcription_final") == "true"
            self.texts.append((who, text, final))

    def _on_track(self, track: Any, publication: Any, who: rtc.RemoteParticipant) -> None:
        if who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=10)
            self._streams.append(stream)
            self._tasks.append(asyncio.create_task(self._listen(stream)))

    async def _listen(self, stream: rtc.AudioStream) -> None:
        async for event in stream:
            samples = np.frombuffer(event.frame.data, np.int16).astype(np.float32)
            self.ear.append((time.monotonic(), float(np.sqrt(np.mean(samples**2)))))

    async def _speak(self) -> None:
        due, noise, sound = time.monotonic() - LEAD_S, np.random.default_rng(1), silence(0)
        while True:
            if len(sound) < FRAME and self._to_say:
                sound = np.concatenate([sound, self._to_say.pop(0)])
            frame, sound = sound[:FRAME], sound[FRAME:]
            if len(frame) and not self.spoke_at and np.abs(frame).max() > 500:
                self.spoke_at = time.monotonic() + self.source.queued_duration
            said = np.concatenate([frame, np.zeros(FRAME - len(frame), np.int16)]) + noise.integers(-8, 9, FRAME)
            await self.source.capture_frame(rtc.AudioFrame(said.astype(np.int16).tobytes(), RATE, 1, FRAME))
            due += 0.01
            await asyncio.sleep(max(0.0, due - time.monotonic()))


@contextlib.asynccontextmanager
async def administering(url: str, key: str, secret: str) -> AsyncIterator[api.LiveKitAPI]:
    async with api.LiveKitAPI(url.replace("ws", "http"), key, secret) as administration:
        yield administration


async def send_agent(
    administration: api.LiveKitAPI, room: str, call_id: str, run: str, api_url: str, token: str, name: str = "rymi"
) -> str:
    told = {"call_id": call_id, "token": token, "api_url": api_url, "run": run, "participant_id": f"agent-{run}"}
    request = api.CreateAgentDispatchRequest(agent_name=name, room=room, metadata=json.dumps(told))
    sent = await administration.agent_dispatch.create_dispatch(request)
    return str(sent.id)

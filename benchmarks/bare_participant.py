"""A participant of LiveKit's own SDK that does nothing but be there: it hears one track and publishes another.

Run as `python -m benchmarks.bare_participant SPELLS BURSTS`; LIVEKIT_URL and TOKEN come from the environment. It enters
the room once a line comes in, says something, talks half of the time for a while, then begins to talk and is cut off
some times more, and tells on its output what it did when.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

import numpy as np
from livekit import rtc
from tests.agent.voices import Samples

from benchmarks.agent_lines import STORY
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.runtime.speaking.player import RATE
from rymi_server.speech_engines.espeak import Manner
from rymi_server.speech_engines.workers.espeak import Library

FRAME_MS = 20
# A burst ends within a loud vowel. An answer comes after seconds of silence, in which a listener's buffer comes to rest
# somewhere else.
SPELL_S, BURST_S, PAUSE_S = 2.0, 0.5, 3.07
_FRAME = RATE * FRAME_MS // 1_000


def story() -> Samples:
    """What the agents answer, in the voice of ours: how soon a sound is heard depends on how it begins."""
    voice, said, manner = Library(), bytearray(), Manner()

    def take(sound: bytes) -> bool:
        said.extend(sound)
        return True

    voice.choose("en-us")
    voice.speak(STORY, manner.words_a_minute, manner.pitch, take)
    return PolyResampler(voice.sample_rate, RATE).push(np.frombuffer(bytes(said), np.int16))


def tell(what: str) -> None:
    print(json.dumps({"what": what, "at": time.monotonic()}), flush=True)


class Bare:
    def __init__(self) -> None:
        self.room = rtc.Room()
        self.story = story()
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=200)
        self.listening: set[asyncio.Future[None]] = set()

    def on_track(self, track: Any, *_: Any) -> None:
        self.listening.add(asyncio.ensure_future(self.hear(track)))

    async def hear(self, track: Any) -> None:
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=FRAME_MS):
            bytes(event.frame.data)

    async def enter(self) -> None:
        self.room.on("track_subscribed", self.on_track)
        await self.room.connect(os.environ["LIVEKIT_URL"], os.environ["TOKEN"])
        track = rtc.LocalAudioTrack.create_audio_track("bare", self.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=True)
        await self.room.local_participant.publish_track(track, options)

    async def speak(self, seconds: float) -> None:
        """The beginning of it."""
        due = time.monotonic()
        for number in range(round(seconds * 1_000 / FRAME_MS)):
            frame = self.story[number * _FRAME : (number + 1) * _FRAME].tobytes()
            await self.source.capture_frame(rtc.AudioFrame(frame, RATE, 1, _FRAME))
            due += FRAME_MS / 1_000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def burst(self) -> None:
        tell("pushed")
        await self.speak(BURST_S)
        self.source.clear_queue()
        tell("cut")
        await asyncio.sleep(PAUSE_S)


async def main(spells: int, bursts: int) -> None:
    bare = Bare()
    tell("loaded")
    await asyncio.to_thread(sys.stdin.readline)
    await bare.enter()
    await bare.speak(BURST_S)
    await asyncio.sleep(PAUSE_S)
    tell("talks")
    for _ in range(spells):
        await bare.speak(SPELL_S)
        await asyncio.sleep(SPELL_S)
    for _ in range(bursts):
        await bare.burst()
    tell("done")
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))

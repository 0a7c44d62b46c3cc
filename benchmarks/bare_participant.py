"""A participant of LiveKit's own SDK that does nothing but be there: it hears one track and publishes another.

Run as `python -m benchmarks.bare_participant SPELLS BURSTS`; LIVEKIT_URL and TOKEN come from the environment. It enters
the room once a line comes in, says something, talks half of the time for a while, then beeps, and tells on its output
what it did when.
"""

import asyncio
import json
import os
import sys
import time
from typing import Any

import numpy as np
from livekit import rtc
from tests.agent.voices import Samples, spoken

from benchmarks.agent_lines import ASK

RATE, FRAME_MS = 16_000, 20
# An answer comes after seconds of silence, in which a listener's buffer comes to rest somewhere else.
SPELL_S, BURST_S, PAUSE_S = 2.0, 0.4, 3.07
_FRAME = RATE * FRAME_MS // 1_000
# Loud from its first sample on.
_TONE = (8_000 * np.cos(2 * np.pi * 400 / RATE * np.arange(RATE))).astype(np.int16)


def tell(what: str) -> None:
    print(json.dumps({"what": what, "at": time.monotonic()}), flush=True)


class Bare:
    def __init__(self) -> None:
        self.room = rtc.Room()
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

    async def speak(self, sound: Samples, seconds: float) -> None:
        due = time.monotonic()
        for number in range(round(seconds * 1_000 / FRAME_MS)):
            start = number * _FRAME % (len(sound) // _FRAME * _FRAME)
            frame = sound[start : start + _FRAME].tobytes()
            await self.source.capture_frame(rtc.AudioFrame(frame, RATE, 1, _FRAME))
            due += FRAME_MS / 1_000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def burst(self) -> None:
        tell("pushed")
        await self.speak(_TONE, BURST_S)
        self.source.clear_queue()
        tell("cut")
        await asyncio.sleep(PAUSE_S)


async def main(spells: int, bursts: int) -> None:
    bare = Bare()
    tell("loaded")
    await asyncio.to_thread(sys.stdin.readline)
    await bare.enter()
    await bare.speak(_TONE, BURST_S)
    await asyncio.sleep(PAUSE_S)
    tell("talks")
    for _ in range(spells):
        await bare.speak(spoken(ASK), SPELL_S)
        await asyncio.sleep(SPELL_S)
    for _ in range(bursts):
        await bare.burst()
    tell("done")
    await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))

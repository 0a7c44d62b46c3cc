"""A participant of LiveKit's own SDK that does nothing but be there: it hears one track and publishes another.

Run as `python -m benchmarks.bare_participant TURNS LATER_S`; LIVEKIT_URL and TOKEN come from the environment. It enters
the room once a line comes in and says what the agents say: a greeting and, so much later, in each turn an answer that
is cut off and another one. Then it talks half of the time. It tells on its output what it did when.
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

from benchmarks.agent_lines import CLOSED, GREETING, STORY
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.runtime.speaking.player import RATE
from rymi_server.speech_engines.espeak import Manner
from rymi_server.speech_engines.workers.espeak import Library

FRAME_MS = 20
# An answer is cut off within a loud vowel. What comes after seconds of silence is heard later than after tenths of one:
# a listener's buffer comes to rest somewhere else in them.
ANSWER_S, INTERRUPTED_S, PAUSE_S = 1.86, 1.83, 3.07
SPELL_S = 2.0
_FRAME = RATE * FRAME_MS // 1_000


def said(text: str) -> Samples:
    """In the voice of our agents: how soon a sound is heard depends on how it begins."""
    voice, spoken, manner = Library(), bytearray(), Manner()

    def take(sound: bytes) -> bool:
        spoken.extend(sound)
        return True

    voice.choose("en-us")
    voice.speak(text, manner.words_a_minute, manner.pitch, take)
    return PolyResampler(voice.sample_rate, RATE).push(np.frombuffer(bytes(spoken), np.int16))


def tell(what: str) -> None:
    print(json.dumps({"what": what, "at": time.monotonic()}), flush=True)


class Bare:
    def __init__(self) -> None:
        self.room = rtc.Room()
        self.greeting, self.answer, self.short_answer = said(GREETING), said(STORY), said(CLOSED)
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

    async def speak(self, sound: Samples) -> None:
        due = time.monotonic()
        for at in range(0, len(sound) - _FRAME + 1, _FRAME):
            frame = sound[at : at + _FRAME].tobytes()
            await self.source.capture_frame(rtc.AudioFrame(frame, RATE, 1, _FRAME))
            due += FRAME_MS / 1_000
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def turn(self) -> None:
        tell("pushed")
        await self.speak(beginning(self.answer, ANSWER_S))
        self.source.clear_queue()
        tell("cut")
        await asyncio.sleep(INTERRUPTED_S)
        await self.speak(self.short_answer)
        await asyncio.sleep(PAUSE_S)


def beginning(sound: Samples, seconds: float) -> Samples:
    return sound[: round(RATE * seconds)]


async def main(turns: int, later_s: float) -> None:
    bare = Bare()
    tell("loaded")
    await asyncio.to_thread(sys.stdin.readline)
    await bare.enter()
    await bare.speak(bare.greeting)
    await asyncio.sleep(PAUSE_S + later_s)
    for _ in range(turns):
        await bare.turn()
    tell("talks")
    while True:
        await bare.speak(beginning(bare.answer, SPELL_S))
        await asyncio.sleep(SPELL_S)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))

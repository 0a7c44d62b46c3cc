"""A participant on whichever LiveKit SDK is first on the path: plays a tone, listens for another, answers data.

It runs on SDKs of several ages, so it imports nothing of the tests and uses only what all of them have.
"""

import asyncio
import json
import math
import sys
from typing import Any

import numpy as np
from livekit import rtc

RATE, FRAME = 48000, 480


def say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def play(source: Any, hz: float) -> None:
    position = 0
    while True:
        instants = (np.arange(FRAME) + position) / RATE
        position += FRAME
        samples = (np.sin(2 * math.pi * hz * instants) * 12000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))


async def listen(track: Any, hz: float) -> None:
    samples = np.zeros(0, dtype=np.int16)
    async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
        samples = np.concatenate([samples, np.frombuffer(event.frame.data, dtype=np.int16)])
        if len(samples) < RATE // 4:
            continue
        spectrum = np.abs(np.fft.rfft(samples.astype(float) * np.hanning(len(samples))))
        loudest = np.fft.rfftfreq(len(samples), 1 / RATE)[int(np.argmax(spectrum))]
        if abs(loudest - hz) < 6 and np.sqrt(np.mean(samples.astype(float) ** 2)) > 300:
            say(heard=hz)
            return
        samples = samples[:0]


async def main(url: str, token: str, play_hz: float, other: str, listen_hz: float) -> None:
    room = rtc.Room()
    tasks: list[asyncio.Task[None]] = []

    def on_track(track: Any, publication: Any, who: Any) -> None:
        if who.identity == other:
            tasks.append(asyncio.create_task(listen(track, listen_hz)))

    def on_data(packet: Any) -> None:
        answer = f"pong to {packet.participant.identity}"
        tasks.append(asyncio.create_task(room.local_participant.publish_data(answer.encode())))

    room.on("track_subscribed", on_track)
    room.on("data_received", on_data)
    await room.connect(url, token)
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("tone", source)
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    say(joined=room.local_participant.identity, version=rtc.__version__ if hasattr(rtc, "__version__") else "")
    playing = asyncio.create_task(play(source, play_hz))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    playing.cancel()
    await room.disconnect()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4], float(sys.argv[5])))

"""An agent on livekit-agents: joins the rooms it is dispatched to, plays a tone, and writes in the caller's name."""

import math
import os

import numpy as np
from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, JobRequest, WorkerOptions, cli

RATE, FRAME = 48000, 480
HZ = float(os.environ["AGENT_HZ"])


async def entrypoint(job: JobContext) -> None:
    await job.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)
    caller = await job.wait_for_participant()
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("voice", source)
    me = job.room.local_participant
    publication = await me.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    await publication.wait_for_subscription()
    writer = await me.stream_text(topic="chat", sender_identity=caller.identity)
    await writer.write(f"{job.job.metadata} for {caller.identity}")
    await writer.aclose()
    if os.environ.get("AGENT_TELLS_PROCESS"):
        await me.publish_data(str(os.getpid()), topic="process")
    position = 0
    while True:
        instants = (np.arange(FRAME) + position) / RATE
        position += FRAME
        samples = (np.sin(2 * math.pi * HZ * instants) * 12000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))


async def accept(request: JobRequest) -> None:
    await request.accept(name="Agent", attributes={"pid": str(os.getpid())})


if __name__ == "__main__":
    cli.run_app(
        WorkerOptions(
            entrypoint_fnc=entrypoint,
            request_fnc=accept,
            agent_name=os.environ["AGENT_NAME"],
            num_idle_processes=1,
            load_threshold=math.inf,
            port=0,
        )
    )

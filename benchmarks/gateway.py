"""What a phone costs: time on its way, frames that come late, and CPU.

Time is taken at the ear: the browser's when its frame has arrived, the phone's when the carrier's own play-out clock
comes to the frame. The difference is the phone's own share. The room server, the gateway and the carriers under load
are processes; the speakers share this one.
"""

import asyncio
import contextlib
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp
import numpy as np
from livekit import api, rtc

from benchmarks.room_servers import KEY, SECRET, ServerProcess, server
from benchmarks.roomlet import Measure, client, line
from benchmarks.roomlet_load import Pacer
from carrierbox import stock
from carrierbox.box import Box
from carrierbox.calls.call import Call
from carrierbox.clock import SteadyClock
from carrierbox.line import g711
from carrierbox.line.recording import Recording
from carrierbox.server import serving
from carrierbox.settings import Settings
from rymi_server.foundation.ids import new_uuid

PHONES = tuple(int(n) for n in os.environ.get("GATEWAY_BENCH_PHONES", "1,5,20").split(","))
SECONDS = float(os.environ.get("GATEWAY_BENCH_SECONDS", "20"))
ROUNDS = int(os.environ.get("GATEWAY_BENCH_ROUNDS", "20"))
RATE, FRAME = 24_000, 240
LOUD, QUIET_S = 700, 0.06
SOMEBODY = "+12025550133"
TALKS = {"moves": [{"do": "say", "text": "hello there how are you doing today " * 20}, {"do": "stay"}], "ring_ms": 50}
LISTENS = {"moves": [{"do": "stay"}], "ring_ms": 50}


@dataclass
class GatewayProcess(ServerProcess):
    media_port: int = 0

    async def counted(self, http: aiohttp.ClientSession) -> dict[str, float]:
        async with http.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        pairs = (each.rsplit(" ", 1) for each in lines if each[0] != "#")
        return {name: float(value) for name, value in pairs}


@contextlib.asynccontextmanager
async def gateway(rooms: ServerProcess) -> AsyncIterator[GatewayProcess]:
    words = ("-m", "benchmarks.gateway_process", rooms.url.replace("http", "ws", 1), KEY, SECRET)
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    media, metrics = (await process.stdout.readline()).split()
    try:
        yield GatewayProcess(process, f"http://127.0.0.1:{int(metrics)}", int(media))
    finally:
        process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def carriers() -> AsyncIterator[str]:
    words = ("-m", "carrierbox", "--port", "0", "--twilio-calls-per-second", "100")
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    address = json.loads(await process.stderr.readline())["address"]
    draining = asyncio.create_task(process.stderr.read())
    try:
        yield address
    finally:
        process.terminate()
        await process.wait()
        await draining


async def ring(http: aiohttp.ClientSession, box: str, at: GatewayProcess, call_id: str) -> str:
    """A phone in the room of this call. The carrier's name of it."""
    stream = f"ws://127.0.0.1:{at.media_port}/media/twilio/leg_{call_id}/{call_id}"
    twiml = f'<Response><Connect><Stream url="{stream}"/></Connect></Response>'
    form = {"To": SOMEBODY, "From": stock.NUMBERS["twilio"][0], "Twiml": twiml}
    headers = {"Authorization": aiohttp.encode_basic_auth(stock.TWILIO_SID, stock.TWILIO_TOKEN)}
    url = f"{box}/twilio/2010-04-01/Accounts/{stock.TWILIO_SID}/Calls.json"
    async with http.post(url, data=form, headers=headers) as answer:
        return str((await answer.json())["sid"])


async def load(http: aiohttp.ClientSession, rooms: ServerProcess) -> list[Measure]:
    """Phones that talk, each with an agent that talks all the time."""
    measures: list[Measure] = []
    pacer, phones = Pacer(), 0
    async with gateway(rooms) as at, carriers() as box:
        async with http.put(f"{box}/control/scripts/{SOMEBODY}", json=TALKS) as put:
            put.raise_for_status()
        pacer.start()
        for wanted in PHONES:
            for _ in range(wanted - phones):
                call_id = new_uuid()
                agent = client(http, rooms, f"call_{call_id}", "agent")
                await agent.join()
                pacer.clients.append(agent)
                await ring(http, box, at, call_id)
            phones = wanted
            await asyncio.sleep(4)
            measures += await _window(http, at, wanted)
        await pacer.stop()
        for one in pacer.clients:
            await one.leave()
    return measures


async def _window(http: aiohttp.ClientSession, at: GatewayProcess, phones: int) -> list[Measure]:
    before, cpu, waited, began = await at.counted(http), at.cpu_seconds(), at.waiting_seconds(), time.monotonic()
    await asyncio.sleep(SECONDS)
    after, elapsed = await at.counted(http), time.monotonic() - began

    def a_minute(name: str) -> float:
        return (after[name] - before[name]) * 60 / elapsed / phones

    named = f"{phones} phone{'s' if phones > 1 else ''}"
    return [
        Measure(f"{named}: CPU per phone", 100 * (at.cpu_seconds() - cpu) / elapsed / phones, "% of a core"),
        Measure(f"{named}: waited for a core", 100 * (at.waiting_seconds() - waited) / elapsed, "% of the time"),
        Measure(f"{named}: memory per phone", at.resident_mb() / phones, "MB"),
        Measure(f"{named}: frames late, a minute and phone", a_minute("rymi_gateway_frames_late_total"), "of 3000"),
        Measure(
            f"{named}: frames missing, a minute and phone", a_minute("rymi_gateway_frames_missing_total"), "of 3000"
        ),
    ]


@dataclass
class Ear:
    """When it became loud, and when it became silent."""

    loud_at: float = 0.0
    silent_at: float = 0.0
    _loud_last: float = 0.0
    _changes: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, samples: np.ndarray[Any, np.dtype[np.int16]], at: float) -> None:
        """What begins to be played at that moment: of frames of any length, the first loud sample counts."""
        loud = np.abs(samples.astype(np.int32)) > LOUD
        if loud.any():
            if self._loud_last < at - QUIET_S:
                self.loud_at = at + int(loud.argmax()) / g711.RATE
            self._loud_last = at
            self.silent_at = 0.0
        elif not self.silent_at:
            self.silent_at = at


async def _listen(track: rtc.Track, ear: Ear) -> None:
    stream = rtc.AudioStream(track, sample_rate=8000, num_channels=1, frame_size_ms=10)
    async for event in stream:
        ear.hear(np.frombuffer(event.frame.data, np.int16), time.monotonic())


class Overheard(Recording):
    """Told of each frame as the phone's play-out clock comes to it: looking for it would add its own time."""

    def __init__(self, ear: Ear) -> None:
        super().__init__()
        self._ear = ear

    def add(self, frame: bytes | None) -> None:
        self._ear.hear(g711.decode(frame or g711.SILENCE), time.monotonic())


class Speaker:
    """The agent: silent or a tone, in real time."""

    def __init__(self) -> None:
        self.source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
        self.is_loud = False
        self.began_at = 0.0

    async def run(self) -> None:
        position, was = 0, False
        while True:
            at = (np.arange(FRAME) + position) / RATE
            position += FRAME
            if self.is_loud and not was:
                self.began_at = time.monotonic()
            was = self.is_loud
            sound = np.sin(2 * np.pi * 600 * at) * (9000 if self.is_loud else 0)
            await self.source.capture_frame(rtc.AudioFrame(sound.astype(np.int16).tobytes(), RATE, 1, FRAME))

    def fall_silent(self) -> None:
        self.is_loud = False
        self.source.clear_queue()


def _token(room: str, identity: str, kind: Literal["agent", "standard"]) -> str:
    grants = api.VideoGrants(room_join=True, room=room)
    return api.AccessToken(KEY, SECRET).with_identity(identity).with_kind(kind).with_grants(grants).to_jwt()


async def path(http: aiohttp.ClientSession, rooms: ServerProcess) -> list[Measure]:
    """The same sound at a browser's ear and at a phone's."""
    settings = Settings(port=0, twilio_calls_per_second=100)
    async with gateway(rooms) as at, serving(settings, SteadyClock()) as (box, address):
        async with http.put(f"{address}/control/scripts/{SOMEBODY}", json=LISTENS) as put:
            put.raise_for_status()
        call_id = new_uuid()
        agent, browser, speaker = rtc.Room(), rtc.Room(), Speaker()
        ears, url = (Ear(), Ear()), rooms.url.replace("http", "ws", 1)
        listening: list[asyncio.Task[None]] = []
        browser.on("track_subscribed", lambda track, *_: listening.append(asyncio.create_task(_listen(track, ears[0]))))
        await agent.connect(url, _token(f"call_{call_id}", "agent", "agent"))
        await browser.connect(url, _token(f"call_{call_id}", "browser", "standard"))
        track = rtc.LocalAudioTrack.create_audio_track("voice", speaker.source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
        await agent.local_participant.publish_track(track, options)
        listening.append(asyncio.create_task(speaker.run()))
        call = await _answered(http, address, at, box, call_id)
        call.heard = Overheard(ears[1])
        await asyncio.sleep(2)
        rounds = [await _round(agent, speaker, ears) for _ in range(ROUNDS)]
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)
        await agent.disconnect()
        await browser.disconnect()
    return _of_rounds([each for each in rounds if each])


async def _answered(http: aiohttp.ClientSession, address: str, at: GatewayProcess, box: Box, call_id: str) -> Call:
    sid = await ring(http, address, at, call_id)
    while len(box.exchange.ledger.get(sid).heard) < g711.RATE:  # noqa: ASYNC110 - Nobody tells when.
        await asyncio.sleep(0.05)
    return box.exchange.ledger.get(sid)


async def _round(agent: rtc.Room, speaker: Speaker, ears: tuple[Ear, Ear]) -> tuple[float, ...] | None:
    """Onset at both ears, then the cut at both, in milliseconds. None where a busy machine lost one."""
    speaker.is_loud = True
    await asyncio.sleep(0.8)
    heard = [1e3 * (ear.loud_at - speaker.began_at) for ear in ears]
    cut_at = time.monotonic()
    speaker.fall_silent()
    said = json.dumps({"event": "cut"})
    await agent.local_participant.publish_data(said, reliable=True, topic="rymi.agent_audio")
    await asyncio.sleep(0.7)
    silent = [1e3 * (ear.silent_at - cut_at) for ear in ears]
    times = (*heard, *silent)
    return times if all(0 < each < 700 for each in times) else None


def _of_rounds(rounds: list[tuple[float, ...]]) -> list[Measure]:
    def median(values: list[float]) -> float:
        return statistics.median(values) if values else float("nan")

    names = (
        "onset at the browser's ear",
        "onset at the phone's ear",
        "cut at the browser's ear",
        "cut at the phone's ear",
    )
    measures = [Measure(name, median([each[at] for each in rounds]), "ms") for at, name in enumerate(names)]
    onset, cut = median([each[1] - each[0] for each in rounds]), median([each[3] - each[2] for each in rounds])
    return [
        Measure("rounds measured", len(rounds), f"of {ROUNDS}"),
        *measures,
        Measure("phone's own share of a turn", onset, "ms", 40),
        Measure("phone's own share of a barge-in", cut, "ms", 40),
    ]


async def measure(show: Callable[[str], Any]) -> list[Measure]:
    measures: list[Measure] = []
    connector = aiohttp.TCPConnector(limit=0)
    show(f"{'gateway':<52} {'measured':>12} {'budget':>10}")
    async with aiohttp.ClientSession(connector=connector) as http:
        for part in (path, load):
            async with server() as rooms:
                done = await part(http, rooms)
            show("\n".join(line(one) for one in done))
            measures += done
    return measures


def main(show: Callable[[str], Any] = print) -> dict[str, Any]:
    """Prints the numbers as they come, and returns them."""
    measures = asyncio.run(measure(show))
    shown = [{"name": one.name, "value": one.value, "unit": one.unit, "verdict": one.verdict} for one in measures]
    return {"cores": os.cpu_count(), "load_average": os.getloadavg(), "measures": shown}


if __name__ == "__main__":
    Path(__file__).parent.joinpath("results").mkdir(exist_ok=True)
    main()

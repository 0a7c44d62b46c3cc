"""What roomlet costs: rooms on one core, memory over joins and leaves, and how soon a caller hears something.

The server is one thread, so it never has more than one core; the load takes another. Numbers that miss their budget are
printed as they are, and beside them how long the server waited for its core. Where `ROOMLET_BENCH_LIVEKIT` leads to a
`livekit-server`, the same load goes through that as well, which has all cores.
"""

import asyncio
import json
import os
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import uvloop
from livekit import rtc

from benchmarks.bare_port import BareClient
from benchmarks.room_servers import KEY, LIVEKIT_SERVER, SECRET, Place, ServerProcess, bare_port, livekit_server, server
from benchmarks.roomlet_load import Pacer, SyntheticClient, access_token

RESULTS = Path(__file__).parent / "results" / "roomlet.json"
ROOMS = tuple(int(n) for n in os.environ.get("ROOMLET_BENCH_ROOMS", "20,100").split(","))
SECONDS = float(os.environ.get("ROOMLET_BENCH_SECONDS", "4"))
WINDOWS = int(os.environ.get("ROOMLET_BENCH_WINDOWS", "4"))
JOINS = 10_000
CALLERS = int(os.environ.get("ROOMLET_BENCH_CALLERS", "20"))
PACKET = "CPU a forwarded packet"
FLOORS = 2.9
"""What a forwarded packet may cost, as a multiple of the port alone in the same minutes (decision 0024)."""
SETTLE_SECONDS = 2.0
UNDER_WAY_SECONDS = 0.5
LISTENERS_SAMPLED = 20
AT_ONCE = 8
RATE, FRAME = 48000, 480
LOUD = 1000


@dataclass(frozen=True)
class Measure:
    name: str
    value: float
    unit: str
    budget: float | None = None

    @property
    def verdict(self) -> str:
        if self.budget is None:
            return ""
        return "met" if self.value <= self.budget else "MISSED"


def client(http: aiohttp.ClientSession, at: ServerProcess, room: str, identity: str) -> SyntheticClient:
    return SyntheticClient(http, at.url, access_token(KEY, SECRET, room, identity), identity)


async def load(http: aiohttp.ClientSession, at: ServerProcess, most_us: float | None = None) -> list[Measure]:
    """Two-person rooms, both speaking all the time; a packet may take `most_us` of the processor.

    On a busy machine single windows say more about the neighbours than about the server, so the window in which it
    waited least for its core is told beside the median.
    """
    measures: list[Measure] = []
    pacer = Pacer()
    pacer.start()
    empty_mb = at.resident_mb()
    for rooms in ROOMS:
        newcomers = [client(http, at, f"load-{n // 2}", f"u{n}") for n in range(len(pacer.clients), 2 * rooms)]
        for newcomer in newcomers:
            await newcomer.join()
        pacer.clients += newcomers
        await asyncio.sleep(SETTLE_SECONDS)
        windows = [await _window(at, pacer) for _ in range(WINDOWS)]
        measures += _of_step(rooms, windows, most_us, final=rooms == ROOMS[-1])
        per_room = (at.resident_mb() - empty_mb) / rooms
        measures.append(Measure(f"{rooms} rooms: memory per room", per_room, "MB", 0.4 if rooms == ROOMS[-1] else None))
    await pacer.stop()
    for one in pacer.clients:
        await one.leave()
    return measures


async def floor(http: aiohttp.ClientSession, at: ServerProcess) -> list[Measure]:
    """The same load through the server's port alone, on the same machine in the same minutes."""
    pacer = Pacer()
    pacer.clients = [BareClient(http, at.url, "", str(n)) for n in range(2 * ROOMS[-1])]
    for one in pacer.clients:
        await one.join()
    pacer.start()
    await asyncio.sleep(SETTLE_SECONDS)
    windows = [await _window(at, pacer) for _ in range(WINDOWS)]
    await pacer.stop()
    for one in pacer.clients:
        await one.leave()
    name = f"{ROOMS[-1]} rooms, floor (the port alone):"
    median = _median(windows)
    return [
        Measure(f"{name} packets lost", median.lost, "%"),
        Measure(f"{name} added latency p99", median.p99, "ms"),
        Measure(f"{name} {PACKET}", median.us_per_packet, "us"),
    ]


@dataclass(frozen=True)
class Window:
    lost: float
    p50: float
    p99: float
    cpu: float
    kernel: float
    waited: float
    us_per_packet: float


async def _window(at: ServerProcess, pacer: Pacer) -> Window:
    everybody = pacer.clients
    await _silence(pacer)
    sampled = everybody[:: max(1, len(everybody) // LISTENERS_SAMPLED)]
    for one in everybody:
        one.sent = one.received = 0
        one.latencies.clear()
        one.is_counting, one.samples_latency = True, one in sampled
        if one not in sampled:
            one.look_away()
    pacer.is_quiet = False
    cpu, kernel, waited, began = at.cpu_seconds(), at.kernel_seconds(), at.waiting_seconds(), time.monotonic()
    await asyncio.sleep(SECONDS)
    cpu, kernel, waited = at.cpu_seconds() - cpu, at.kernel_seconds() - kernel, at.waiting_seconds() - waited
    took = time.monotonic() - began
    await _silence(pacer)
    for one in everybody:
        one.catch_up()
        one.watch()
        one.is_counting = one.samples_latency = False
    pacer.is_quiet = False
    sent, received = sum(one.sent for one in everybody), sum(one.received for one in everybody)
    latencies = np.array([ms for one in sampled for ms in one.latencies])
    lost = 100 * (1 - received / max(sent, 1))
    p50, p99 = (float(np.percentile(latencies, share)) for share in (50, 99))
    share = 100 * kernel / max(cpu, 1e-9)
    return Window(lost, p50, p99, 100 * cpu / took, share, 100 * waited / took, 1e6 * cpu / max(received, 1))


async def _silence(pacer: Pacer) -> None:
    """Nobody sends until whatever was under way has arrived, so that a window counts the packets of its own only."""
    pacer.is_quiet = True
    await asyncio.sleep(UNDER_WAY_SECONDS)


def _of_step(rooms: int, windows: Sequence[Window], most_us: float | None, final: bool) -> list[Measure]:
    quietest = min(windows, key=lambda window: window.waited)
    measures = []
    for which, of in (("median", _median(windows)), ("quietest window", quietest)):
        name = f"{rooms} rooms, {which}:"
        measures += [
            Measure(f"{name} packets lost", of.lost, "%", 0.0 if final else None),
            Measure(f"{name} added latency p50", of.p50, "ms"),
            Measure(f"{name} added latency p99", of.p99, "ms", 10 if final else None),
            Measure(f"{name} {PACKET}", of.us_per_packet, "us", most_us if final else None),
            Measure(f"{name} server CPU", of.cpu, "% of a core"),
            Measure(f"{name} of which in the kernel", of.kernel, "%"),
            Measure(f"{name} waited for its core", of.waited, "% of the time"),
        ]
    return measures


def _median(windows: Sequence[Window]) -> Window:
    return Window(*(statistics.median(getattr(w, f.name) for w in windows) for f in fields(Window)))


async def joins_and_leaves(http: aiohttp.ClientSession, at: ServerProcess) -> list[Measure]:
    """Memory must not grow once every cache is full: the middle third of the visits is compared with the last, each by
    the least it held, because what it held above that had been given back and not yet been taken by the next."""
    numbers = iter(range(JOINS))
    resident: list[float] = []
    began, cpu = time.monotonic(), at.cpu_seconds()

    async def visitors() -> None:
        for number in numbers:
            visitor = client(http, at, f"visit-{number % AT_ONCE}", f"v{number}")
            await visitor.join()
            await visitor.leave()
            if number % max(1, JOINS // 60) == 0:
                resident.append(at.resident_mb())

    await asyncio.gather(*(visitors() for _ in range(AT_ONCE)))
    took, spent = time.monotonic() - began, at.cpu_seconds() - cpu
    third = len(resident) // 3
    grew = min(resident[-third:]) - min(resident[third:-third])
    return [
        Measure(f"{JOINS} joins and leaves: memory grew", grew, "MB", 3.0),
        Measure(f"{JOINS} joins and leaves: memory at the end", resident[-1], "MB"),
        Measure(f"{JOINS} joins and leaves: rate", JOINS / took, "a second"),
        Measure(f"{JOINS} joins and leaves: CPU each", 1e3 * spent / JOINS, "ms"),
    ]


async def first_audio(_: aiohttp.ClientSession, at: ServerProcess) -> list[Measure]:
    """A caller on LiveKit's Python SDK joins a room in which somebody speaks."""
    url, room = at.url.replace("http", "ws", 1), f"audio-{secrets.token_hex(4)}"
    speaker = rtc.Room()
    await speaker.connect(url, access_token(KEY, SECRET, room, "speaker"))
    source = rtc.AudioSource(RATE, 1, queue_size_ms=100)
    track = rtc.LocalAudioTrack.create_audio_track("tone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    await speaker.local_participant.publish_track(track, options)
    speaking = asyncio.create_task(_speak(source))
    connected, heard = [], []
    for number in range(CALLERS):
        times = await _one_caller(url, access_token(KEY, SECRET, room, f"caller-{number}"))
        connected.append(times[0])
        heard.append(times[1])
    speaking.cancel()
    await asyncio.gather(speaking, return_exceptions=True)
    await speaker.disconnect()
    return [
        Measure("Python SDK: connected, median", statistics.median(connected), "ms"),
        Measure("Python SDK: first audio, median", statistics.median(heard), "ms", 120),
        Measure("Python SDK: first audio, slowest", max(heard), "ms"),
    ]


async def _one_caller(url: str, token: str) -> tuple[float, float]:
    caller = rtc.Room()
    subscribed: asyncio.Future[rtc.Track] = asyncio.get_running_loop().create_future()

    def on_track(track: rtc.Track, *_: object) -> None:
        if not subscribed.done():
            subscribed.set_result(track)

    caller.on("track_subscribed", on_track)
    began = time.perf_counter()
    await caller.connect(url, token)
    connected = time.perf_counter()
    stream = rtc.AudioStream(await subscribed, sample_rate=RATE, num_channels=1)
    async for event in stream:
        if np.abs(np.frombuffer(event.frame.data, dtype=np.int16)).max() > LOUD:
            break
    heard = time.perf_counter()
    await stream.aclose()
    await caller.disconnect()
    return 1e3 * (connected - began), 1e3 * (heard - began)


async def _speak(source: rtc.AudioSource) -> None:
    position = 0
    while True:
        instants = (np.arange(FRAME) + position) / RATE
        position += FRAME
        samples = (np.sin(2 * np.pi * 440 * instants) * 12000).astype(np.int16)
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))


async def measure(show: Callable[[str], Any]) -> list[Measure]:
    """Each part has a server of its own, and is shown when it is done."""
    measures: list[Measure] = []
    connector = aiohttp.TCPConnector(limit=0)
    patience = aiohttp.ClientTimeout(total=None)
    show(f"{'roomlet':<52} {'measured':>12} {'budget':>10}")
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as http:

        async def add(part: Callable[..., Awaitable[list[Measure]]], of: Place, *more: float) -> list[Measure]:
            async with of() as at:
                done = await part(http, at, *more)
            show("\n".join(line(one) for one in done))
            measures.extend(done)
            return done

        await add(start, server)
        await add(first_audio, server)
        port_alone = next(one.value for one in await add(floor, bare_port) if one.name.endswith(PACKET))
        await add(load, server, FLOORS * port_alone)
        if LIVEKIT_SERVER:
            await add(beside, livekit_server)
        await add(joins_and_leaves, server)
    return measures


async def beside(http: aiohttp.ClientSession, at: ServerProcess) -> list[Measure]:
    """A LiveKit server under roomlet's load, without roomlet's budgets."""
    return [replace(one, name=f"LiveKit, {one.name}", budget=None) for one in await load(http, at)]


async def start(_: aiohttp.ClientSession, at: ServerProcess) -> list[Measure]:
    return [Measure("memory at the start", at.resident_mb(), "MB")]


def line(one: Measure) -> str:
    budget = f"{one.budget:.3g}" if one.budget is not None else ""
    return f"{one.name:<52} {one.value:>12.2f} {budget:>10}  {one.unit} {one.verdict}".rstrip()


def main(show: Callable[[str], Any] = print) -> list[dict[str, Any]]:
    """Prints the numbers as they come, writes them as JSON, and returns them."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        measures = runner.run(measure(show))
    results = [{**asdict(one), "verdict": one.verdict} for one in measures]
    told = {"cores": os.cpu_count(), "load_average": os.getloadavg(), "measures": results}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2))
    return results


if __name__ == "__main__":
    main()

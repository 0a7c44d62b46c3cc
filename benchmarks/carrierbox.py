"""carrierbox on one core: how many calls with media both ways, how punctual their frames are, and what a call costs.

The box runs in a process of its own; the application, here, answers every call, takes every frame and sends one back.
"""

import asyncio
import base64
import json
import os
import signal
import sys
import time
import uuid
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import jwt
from aiohttp import web

from benchmarks.measuring import table
from carrierbox import stock

LOADS = (("twilio", 10), ("twilio", 25), ("twilio", 50), ("plivo", 25), ("vonage", 25))
MEASURED_S = 6.0
WARM_UP_S = 1.5
FRAME_S = 0.02
FLOWS_AFTER = 5
PLACING_PATIENCE_S = 30.0
TICKS = os.sysconf("SC_CLK_TCK")
TALKER = {"moves": [{"do": "say", "text": "one two three four five six seven eight nine ten"}] * 60, "ring_ms": 100}
NUMBER = "+12025550123"
MULAW_FRAME = base64.b64encode(bytes(160)).decode()
LINEAR_FRAME = bytes(640)


@dataclass
class Application:
    """Answers calls and echoes frames. Arrival times are all it keeps."""

    expected: int
    all_flow: asyncio.Event = field(default_factory=asyncio.Event)
    flowing: int = 0
    address: str = ""
    arrivals: list[list[float]] = field(default_factory=list)

    def app(self) -> web.Application:
        app = web.Application()
        for carrier in ("twilio", "plivo", "vonage"):
            app.router.add_route("*", f"/{carrier}/answer", getattr(self, f"answer_{carrier}"))
            app.router.add_get(f"/{carrier}/media", self.media)
        app.router.add_route("*", "/event", self.event)
        return app

    @property
    def sockets(self) -> str:
        return self.address.replace("http", "ws", 1)

    async def event(self, _request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def answer_twilio(self, _request: web.Request) -> web.Response:
        xml = f'<Response><Connect><Stream url="{self.sockets}/twilio/media"/></Connect></Response>'
        return web.Response(text=xml, content_type="text/xml")

    async def answer_plivo(self, _request: web.Request) -> web.Response:
        stream = 'bidirectional="true" keepCallAlive="true" contentType="audio/x-l16;rate=16000"'
        xml = f"<Response><Stream {stream}>{self.sockets}/plivo/media</Stream></Response>"
        return web.Response(text=xml, content_type="application/xml")

    async def answer_vonage(self, _request: web.Request) -> web.Response:
        endpoint = {"type": "websocket", "uri": f"{self.sockets}/vonage/media", "content-type": "audio/l16;rate=16000"}
        return web.json_response([{"action": "connect", "endpoint": [endpoint]}])

    async def media(self, request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        arrived: list[float] = []
        self.arrivals.append(arrived)
        reply: str | bytes | None = None
        async for message in ws:
            reply = reply or _reply(request.path, message.data)
            if message.type is aiohttp.WSMsgType.TEXT and '"media"' not in message.data:
                continue
            arrived.append(time.perf_counter())
            if len(arrived) == FLOWS_AFTER:
                self.flowing += 1
                if self.flowing == self.expected:
                    self.all_flow.set()
            await (ws.send_bytes(reply) if isinstance(reply, bytes) else ws.send_str(reply or "{}"))
        return ws


def _reply(path: str, first: str | bytes) -> str | bytes | None:
    """What to send back for every frame of this stream; Twilio's streams must be named in it."""
    if path.startswith("/vonage"):
        return LINEAR_FRAME
    if path.startswith("/plivo"):
        media = {"contentType": "audio/x-l16", "sampleRate": 16_000, "payload": base64.b64encode(LINEAR_FRAME).decode()}
        return json.dumps({"event": "playAudio", "media": media})
    opening = json.loads(first)
    if opening["event"] != "start":
        return None
    return json.dumps({"event": "media", "streamSid": opening["streamSid"], "media": {"payload": MULAW_FRAME}})


@asynccontextmanager
async def application(expected: int) -> AsyncIterator[Application]:
    customer = Application(expected)
    runner = web.AppRunner(customer.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    customer.address = f"http://{host}:{port}"
    try:
        yield customer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def box() -> AsyncIterator[tuple[Process, str]]:
    rates = [f"--{carrier}-calls-per-second=1000" for carrier in ("twilio", "plivo", "vonage")]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "carrierbox", "--port=0", "--max-calls=500", *rates, stderr=PIPE
    )
    assert process.stderr is not None
    address = json.loads(await process.stderr.readline())["address"]
    draining = asyncio.create_task(process.stderr.read())
    _pin(process.pid)
    try:
        yield process, address
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
        await draining


def _pin(pid: int) -> None:
    """One core for the box, the others for the application."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(pid, {cores[-1]})
    if len(cores) > 1:
        os.sched_setaffinity(0, set(cores[:-1]))


class Orders:
    """Places calls on each carrier as its clients do."""

    def __init__(self, http: aiohttp.ClientSession, address: str, customer: Application) -> None:
        self._http = http
        self._address = address
        self._customer = customer
        self._token = ""

    async def place(self, carrier: str) -> None:
        await getattr(self, f"_{carrier}")(f"{self._customer.address}/{carrier}/answer")

    async def _twilio(self, answer: str) -> None:
        url = f"{self._address}/twilio/2010-04-01/Accounts/{stock.TWILIO_SID}/Calls.json"
        form = {"To": NUMBER, "From": stock.NUMBERS["twilio"][0], "Url": answer}
        headers = {"Authorization": aiohttp.encode_basic_auth(stock.TWILIO_SID, stock.TWILIO_TOKEN)}
        async with self._http.post(url, data=form, headers=headers) as response:
            assert response.status == 201, await response.text()

    async def _plivo(self, answer: str) -> None:
        url = f"{self._address}/plivo/v1/Account/{stock.PLIVO_ID}/Call/"
        body = {"to": NUMBER, "from": stock.NUMBERS["plivo"][0], "answer_url": answer}
        headers = {"Authorization": aiohttp.encode_basic_auth(stock.PLIVO_ID, stock.PLIVO_TOKEN)}
        async with self._http.post(url, json=body, headers=headers) as response:
            assert response.status == 201, await response.text()

    async def _vonage(self, answer: str) -> None:
        self._token = self._token or await self._application_token()
        body = {
            "to": [{"type": "phone", "number": NUMBER}],
            "from": {"type": "phone", "number": stock.NUMBERS["vonage"][0]},
            "answer_url": [answer],
        }
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._http.post(f"{self._address}/vonage/v1/calls", json=body, headers=headers) as response:
            assert response.status == 201, await response.text()

    async def _application_token(self) -> str:
        headers = {"Authorization": aiohttp.encode_basic_auth(stock.VONAGE_KEY, stock.VONAGE_SECRET)}
        url = f"{self._address}/vonage/v2/applications"
        async with self._http.post(url, json={"name": "bench"}, headers=headers) as response:
            made = await response.json()
        now = int(time.time())
        claims = {"application_id": made["id"], "iat": now, "exp": now + 900, "jti": str(uuid.uuid4())}
        return jwt.encode(claims, made["keys"]["private_key"], algorithm="RS256")


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def lateness_ms(arrivals: list[list[float]], since: float, until: float) -> list[float]:
    """How much later than its own stream's most punctual frame each frame came, measured on a grid of 20 ms."""
    late: list[float] = []
    for stream in arrivals:
        within = [(number, at) for number, at in enumerate(stream) if since <= at < until]
        offsets = [at - number * FRAME_S for number, at in within]
        late += [(offset - min(offsets)) * 1000 for offset in offsets]
    return sorted(late)


async def measure(carrier: str, calls: int) -> dict[str, object]:
    async with application(calls) as customer, box() as (process, address), aiohttp.ClientSession() as http:
        async with http.put(f"{address}/control/scripts/{NUMBER}", json=TALKER) as response:
            assert response.status == 204, await response.text()
        orders = Orders(http, address, customer)
        for _ in range(calls):
            await orders.place(carrier)
        async with asyncio.timeout(PLACING_PATIENCE_S):
            await customer.all_flow.wait()
        await asyncio.sleep(WARM_UP_S)
        began, used = time.perf_counter(), cpu_s(process.pid)
        await asyncio.sleep(MEASURED_S)
        ended, used = time.perf_counter(), cpu_s(process.pid) - used
        late = lateness_ms(customer.arrivals, began, ended)
        wanted = calls * (ended - began) / FRAME_S
        return {
            "carrier": carrier,
            "calls": calls,
            "frames": len(late),
            "frames_of_wanted_percent": round(100 * len(late) / wanted, 2),
            "late_p50_ms": round(late[len(late) // 2], 2),
            "late_p99_ms": round(late[len(late) * 99 // 100], 2),
            "late_max_ms": round(late[-1], 2),
            "core_percent": round(100 * used / (ended - began), 1),
            "core_percent_per_call": round(100 * used / (ended - began) / calls, 3),
        }


def main() -> dict[str, object]:
    cores = os.sched_getaffinity(0)
    rows = []
    for carrier, calls in LOADS:
        rows.append(asyncio.run(measure(carrier, calls)))
        os.sched_setaffinity(0, cores)
    headings = list(rows[0])
    table(headings, [[str(row[heading]) for heading in headings] for row in rows])
    return {"measured_s": MEASURED_S, "loads": rows}

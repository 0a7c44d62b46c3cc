"""Workers for what comes after a call, receivers of webhooks, and calls that have just ended."""

import asyncio
import contextlib
import json
import random
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.support.asking import CLOCK, Customer, settings_for_tests, web
from tests.support.calling import everybody_joins, say
from tests.support.waiting import until

from rymi_server.calls.agent_runs import call_agents
from rymi_server.entrypoints.worker import build_worker
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.recordings import segments
from rymi_server.recordings.deposit import deposit, segment_key
from rymi_server.recordings.segments import Segment
from rymi_server.recordings.wav import header

RATE = 16_000
TALK = (
    ("user", "browser-1", "Hello, I would like to book an appointment for Tuesday at three."),
    ("agent", None, "Of course. I have Tuesday at three, is that right?"),
    ("user", "browser-1", "Yes, that is great, thank you."),
    ("agent", None, "You are booked. Goodbye."),
)


def settings_with(database: Database, folder: Path, **changed: Any) -> Any:
    return settings_for_tests(
        **{
            "database_url": database.url,
            "worker_metrics_port": 0,
            "storage_url": (folder / "storage").as_uri(),
            "allow_private_webhooks": True,
            "public_base_url": "http://api.test",
            **changed,
        }
    )


@contextlib.asynccontextmanager
async def working(database: Database, folder: Path, **changed: Any) -> AsyncIterator[None]:
    """A worker in this process, until the end of the block."""
    stop = asyncio.Event()
    worker = build_worker(settings_with(database, folder, **changed))
    running = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await running


async def new_call(customer: Customer, **fields: Any) -> str:
    agent_id = fields.pop("agent_id", None) or await customer.new_agent(**fields.pop("agent", {}))
    answer = await customer.post("/v1/calls", {"agent_id": agent_id, "participants": [web()], **fields})
    assert answer.status_code == 201, answer.text
    call_id: str = answer.json()["id"]
    return call_id


async def ended_call(
    database: Database, customer: Customer, talk: Sequence[tuple[str, str | None, str]] = TALK, **fields: Any
) -> str:
    """A call of a minute in which this was said, ended by the API a moment ago."""
    call_id = await new_call(customer, **fields)
    await everybody_joins(database, call_id, seconds_ago=62)
    if talk:
        await say(database, call_id, *talk)
    answer = await customer.post(f"/v1/calls/{call_id}/end")
    assert answer.status_code == 200, answer.text
    return call_id


async def agent_of(database: Database, call_id: str, run: str = "1", **columns: Any) -> None:
    """As if an agent had been sent into the call and heard of just now."""
    now = CLOCK.now()
    values = {"accepted": -1, "obeyed": 0, "created_at": now, "heard_at": now, "number": 1, **columns}
    async with database.transaction() as tx:
        await tx.execute(call_agents.insert().values(call_id=call_id, run=run, **values))


async def agent_closes(database: Database, call_id: str) -> None:
    async with database.transaction() as tx:
        mine = call_agents.c.call_id == call_id
        await tx.execute(call_agents.update().where(mine).values(closed_at=CLOCK.now()))


def sound(
    seconds: float, *, people: Sequence[tuple[float, float]] = (), agent: Sequence[tuple[float, float]] = ()
) -> bytes:
    """Stereo in which each side is noisy in the given stretches of seconds, and silent otherwise."""
    noise = random.Random(7)
    block = [noise.randrange(-9_000, 9_000) for _ in range(1_600)]
    frames = int(seconds * RATE)
    samples = [[0] * frames, [0] * frames]
    for side, stretches in enumerate((people, agent)):
        for begin, end in stretches:
            for index in range(int(begin * RATE), min(frames, int(end * RATE))):
                samples[side][index] = block[index % len(block)]
    laid = array("h", bytes(frames * 4))
    laid[0::2], laid[1::2] = array("h", samples[0]), array("h", samples[1])
    return laid.tobytes()


async def recorded(
    database: Database,
    folder: Path,
    customer: Customer,
    call_id: str,
    content: bytes,
    *,
    started_at_ms: int = 0,
    number: int = 0,
    **changed: Any,
) -> str:
    """A piece of the call's recording, deposited and reported as an agent does it."""
    path = folder / f"{call_id}-{number}.wav"
    path.write_bytes(header(2, RATE, len(content)) + content)
    key = segment_key(customer.tenant.id, call_id, "1", number)
    done = await deposit(settings_with(database, folder, **changed).storage(), path, key)
    async with database.transaction() as tx:
        piece = Segment(done.key, started_at_ms, done.duration_ms, {}, {})
        await segments.add(tx, CallId(call_id), [piece], CLOCK.now())
    return key


async def finished(database: Database, call_id: str, *, seconds: float = 20) -> None:
    done = sa.text("select done_at from post_call_progress where call_id = :call")

    async def is_done() -> bool:
        async with database.transaction() as tx:
            return (await tx.execute(done, {"call": call_id})).scalar_one_or_none() is not None

    await until("everything that comes after the call", is_done, seconds=seconds)


# --- receivers ----------------------------------------------------------------------------------------------------


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return self.headers["x-rymi-event"]


Behaviour = Callable[[Received], Awaitable[bytes | None]]


async def _accept(_: Received) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Receiver:
    """An HTTP server of a customer. What `behave` returns is sent as it stands; None hangs up without a word."""

    behave: Behaviour = _accept
    got: list[Received] = field(default_factory=list)
    url: str = ""
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def events(self) -> list[str]:
        return [each.event for each in self.got]

    async def listen(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:]
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
                received = Received(headers, await reader.readexactly(int(headers["content-length"])))
                self.got.append(received)
                answer = await self.behave(received)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # The other end has gone, or the test is over.
        finally:
            self._open.discard(writer)
            writer.close()


def answering(status: int, body: bytes = b"", *headers: str) -> Behaviour:
    async def behave(_: Received) -> bytes:
        head = "".join(f"{line}\r\n" for line in headers)
        return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body

    return behave


@contextlib.asynccontextmanager
async def receiver(behave: Behaviour = _accept) -> AsyncIterator[Receiver]:
    server = await Receiver(behave).listen()
    try:
        yield server
    finally:
        await server.close()


async def webhook(customer: Customer, url: str, *events: str, secret: str = "a-secret-of-enough-characters") -> str:
    answer = await customer.post("/v1/webhooks", {"url": url, "events": list(events), "secret": secret})
    assert answer.status_code == 201, answer.text
    webhook_id: str = answer.json()["id"]
    return webhook_id

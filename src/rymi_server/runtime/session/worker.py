"""The agent worker: registers with LiveKit, keeps processes warm, and gives each call one of its own."""

import asyncio
import json
import logging
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

# The models that come with livekit-agents have a licence of their own and are not used.
os.environ["LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE"] = "0"
# Its watch over the event loop wakes up so much less often than at its own 100 ms.
os.environ.setdefault("LIVEKIT_AGENTS_LOOP_BLOCK_WARN_MS", "250")
# Of the SDK's own threads one has nothing to do but to wake the other.
os.environ.setdefault("TOKIO_WORKER_THREADS", "1")
# A call multiplies small matrices, and gains nothing by a second thread that spins until it is needed.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import structlog
import uvloop
from livekit.agents import AgentServer, AutoSubscribe, JobContext, JobProcess, JobRequest

from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.logs import configure_logs
from rymi_server.foundation.object_storage import open_storage
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.sdk_events import direct_events
from rymi_server.rooms.sdk_proxies import proxy_of_workers, reach_rooms_directly
from rymi_server.runtime.reporting.internal_api import NotWanted
from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.reporting.life import LeftBehind
from rymi_server.runtime.session.casting import Casting
from rymi_server.runtime.session.closing_time import ClosingTime
from rymi_server.runtime.session.job import Desk, WrongJob, address_in, hold_call
from rymi_server.runtime.session.providers.installed import InstalledEngines
from rymi_server.runtime.session.standby import Standby
from rymi_server.runtime.session.warming import warm_up
from rymi_server.runtime.thinking.http_tool import HttpTools
from rymi_server.runtime.turn_taking.scores import installed_scores
from rymi_server.speech_engines.casting import Defaults
from rymi_server.speech_engines.readiness import Equipment

log = structlog.get_logger(__name__)

_SHUTS_DOWN_WITHIN_S: Final = 60.0
_STARTS_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """What a job process is told when it starts. It travels between processes."""

    folder: Path
    storage_url: str
    linger_s: float
    log_level: str
    log_personal: bool
    equipment: Equipment
    defaults: Defaults
    private_tools: bool
    livekit_url: str


@dataclass(frozen=True, slots=True)
class Workplace:
    livekit: LiveKit
    agent_name: str
    most_calls: int
    idle_processes: int
    drain_s: int
    work: Work


class AgentWorker:
    """`on_registered` is called each time LiveKit has taken the worker in."""

    def __init__(self, place: Workplace, on_registered: Callable[[], None] = lambda: None) -> None:
        self._place = place
        self._standby = Standby(place.work.folder)
        self._closing = ClosingTime()
        self._server = AgentServer(
            ws_url=place.livekit.url,
            api_key=place.livekit.api_key,
            api_secret=place.livekit.api_secret,
            http_proxy=proxy_of_workers(place.livekit.url),
            setup_fnc=partial(prepare, place.work, self._standby, self._closing),
            load_fnc=self._load,
            load_threshold=1.0,
            num_idle_processes=place.idle_processes,
            shutdown_process_timeout=_SHUTS_DOWN_WITHIN_S,
            initialize_process_timeout=_STARTS_WITHIN_S,
            # Loaded once, and shared by the processes that are forked from there.
            preload_modules=[__name__],
            job_memory_warn_mb=0,
            job_memory_limit_mb=0,
            host="127.0.0.1",
            port=0,  # livekit-agents' own health page, which nobody asks for.
            max_retry=1_000_000,  # A LiveKit server that is away for an hour comes back to a worker that waits.
        )
        self._server.rtc_session(serve, agent_name=place.agent_name, on_request=self._accept)
        self._server.on("worker_registered", lambda *_: on_registered())

    @property
    def calls(self) -> int:
        return len(self._server.active_jobs)

    async def _accept(self, request: JobRequest) -> None:
        """Under the identity that the API gave the agent."""
        self._standby.call_comes()
        await request.accept(name="Agent", identity=participant_in(request.job.metadata) or f"agent-{request.id}")

    def _load(self) -> float:
        return self.calls / self._place.most_calls

    async def run(self, stop: asyncio.Event, asked_again: Callable[[], asyncio.Event] = asyncio.Event) -> None:
        """Until `stop`: then no call is taken any more, and those that run are held to their end.

        `asked_again` is called then, and what it returns is set by whoever does not want to wait.
        """
        running = asyncio.create_task(self._server.run(devmode=False))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not running.done():
            await self._drain(asked_again())
        await running

    async def _drain(self, enough: asyncio.Event) -> None:
        log.info("agent_draining")
        logging.getLogger("livekit.agents").addFilter(_is_no_kill_of_its_own)
        draining = asyncio.create_task(self._server.drain(timeout=None))
        hurry = asyncio.create_task(enough.wait())
        await asyncio.wait((draining, hurry), timeout=self._place.drain_s, return_when=asyncio.FIRST_COMPLETED)
        if self.calls:
            log.warning("calls_cut_short", count=self.calls)
        self._closing.comes()
        for task in (draining, hurry):
            task.cancel()
        await asyncio.wait((draining, hurry))
        await self._server.aclose()
        if not draining.cancelled():
            draining.result()


def _is_no_kill_of_its_own(record: logging.LogRecord) -> bool:
    """Told to stop, livekit-agents ends with SIGUSR1 who was only getting ready, and then takes that for a crash."""
    return f"non-zero exit code {-signal.SIGUSR1}" not in record.getMessage()


# --- in the job's process --------------------------------------------------------------------------------------------


def prepare(work: Work, standby: Standby, closing: ClosingTime, process: JobProcess) -> None:
    """Everything that a first call would otherwise wait for."""
    configure_logs(work.log_level, show_personal=work.log_personal)
    reach_rooms_directly(work.livekit_url)
    with standby.getting_ready():
        process.userdata["desk"] = _desk(work, closing)


def _desk(work: Work, closing: ClosingTime) -> Desk:
    logging.getLogger("livekit").addFilter(_tells_something)
    began = time.monotonic()
    engines = InstalledEngines(work.equipment, work.defaults)
    engines.start_early()
    tools = HttpTools(allow_private=work.private_tools)
    scores = installed_scores()
    casting = Casting(engines, scores, tools, lambda: datetime.now(UTC).astimezone())
    direct_events()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    warm_up(scores)
    # Held up for as long as a look through all of this takes, an agent would stammer.
    leave_what_is_loaded()
    log.info("agent_process_ready", milliseconds=round((time.monotonic() - began) * 1_000))
    return Desk(work.folder, open_storage(work.storage_url), casting, work.linger_s, closing.has_come)


def _tells_something(record: logging.LogRecord) -> bool:
    """The SDK complains so whenever a track or a participant goes, and means nothing by it."""
    return "drop unknown FFI handle" not in record.getMessage()


async def serve(ctx: JobContext) -> None:
    desk: Desk = ctx.proc.userdata["desk"]
    try:
        address = address_in(ctx.job.metadata)
    except WrongJob as error:
        log.error("call_not_held", code=error.code, error=error.message)
        reason = error.code
    else:
        with structlog.contextvars.bound_contextvars(call_id=address.call_id):
            reason = await _hold(desk, address, ctx)
    ctx.shutdown(reason=reason)


async def _hold(desk: Desk, address: Address, ctx: JobContext) -> str:
    log.info("call_taken", pid=os.getpid())
    try:
        reason = await hold_call(desk, address, ctx.room, partial(_connect, ctx))
    except NotWanted as error:
        log.info("agent_not_wanted", error=error.message)
        return "not_wanted"
    except Unavailable as error:
        log.error("call_not_held", code=error.code, error=error.message)
        return error.code
    except LeftBehind as error:
        reason = error.reason
    log.info("call_left", reason=reason)
    return reason


async def _connect(ctx: JobContext) -> None:
    await ctx.connect(auto_subscribe=AutoSubscribe.AUDIO_ONLY)


def participant_in(metadata: str) -> str | None:
    try:
        told: Any = json.loads(metadata)
    except ValueError:
        return None
    found = told.get("participant_id") if isinstance(told, dict) else None
    return found if isinstance(found, str) else None

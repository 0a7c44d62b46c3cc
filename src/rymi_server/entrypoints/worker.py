"""`rymi worker`: jobs as a process. Dialing, facts, what comes after a call, rooms, and the periodic sweeps."""

import asyncio
import sys
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import structlog
from prometheus_client import CollectorRegistry

from rymi_server.call_control.join_timeouts import JoinTimeouts
from rymi_server.call_control.transfer import FIND_HUMAN, Transfers
from rymi_server.entrypoints.after_calls import CONCURRENCY, after_calls
from rymi_server.entrypoints.analysing import analyst
from rymi_server.entrypoints.building import build_admission, build_transfers
from rymi_server.entrypoints.carriers import connections_of
from rymi_server.entrypoints.health_page import health_page
from rymi_server.entrypoints.listeners import LISTENERS
from rymi_server.entrypoints.looking_after import sweeps_of_live_calls
from rymi_server.entrypoints.measuring import process_registry
from rymi_server.entrypoints.measuring_database import measure_database
from rymi_server.entrypoints.measuring_jobs import measure_work, observed
from rymi_server.entrypoints.outcome import outcome
from rymi_server.entrypoints.phones import phone_work
from rymi_server.entrypoints.readiness import readiness_of
from rymi_server.entrypoints.serving import DRAIN_SECONDS, new_event_loop
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.sweeping import sweeps_of
from rymi_server.entrypoints.tracing import trace_to
from rymi_server.foundation.clock import Clock, SystemClock
from rymi_server.foundation.database import Database, for_libpq
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.garbage import leave_what_is_loaded
from rymi_server.foundation.logs import configure_logs
from rymi_server.http.health import Missing, health_routes
from rymi_server.post_call.analyse import Analyse
from rymi_server.queue.facts import QUEUE as FACTS
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.running import JobRunner, Work, hearing, in_transaction
from rymi_server.recordings.workroom import clear_abandoned
from rymi_server.rooms.agent_pass import AgentPasses
from rymi_server.rooms.closing import CLOSE_ROOM, RoomCloser
from rymi_server.rooms.dispatch import DISPATCH
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.rooms.sending import AgentCalling, AgentDispatcher
from rymi_server.rooms.server import RoomServer
from rymi_server.telephony.carriers.carrier import ConnectedCarriers
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.transfer import HAND_OVER, LegHandOver

log = structlog.get_logger(__name__)

_ROOM_ANSWERS_WITHIN_SECONDS = 10
# Each holds a connection to the database while LiveKit is asked, which may take long when it is away.
_AGENTS_SENT_AT_ONCE = 4
# They wait for nothing but the database, and there more of them would only be in the way of those who dial.
_FACTS_HEARD_AT_ONCE = 4


class CannotWork(Unavailable):
    code = "cannot_work"

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(" ".join(f"{each.what}: {each.mend}" for each in missing), retryable=True)


class JobsLeft(Unavailable):
    code = "jobs_left"

    def __init__(self) -> None:
        super().__init__("Some jobs took too long to be finished. They run again elsewhere.", retryable=True)


def main() -> int:
    return outcome(run)


def run() -> None:
    settings = read_settings()
    configure_logs(settings.log_level, show_personal=settings.log_personal)
    trace_to(settings.otlp_endpoint, "rymi-worker")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    await build_worker(settings).run(stop_requested())


def build_worker(
    settings: Settings,
    *,
    carriers: ConnectedCarriers | None = None,
    queue_settings: Mapping[str, int] | None = None,
) -> "Worker":
    """A worker whose tenants dial through `carriers`. `queue_settings` are BullMQ's, over our own."""
    database = Database(settings.required_database_url(), connections=settings.database_connections)
    clock = SystemClock()
    connections = connections_of(settings, clock)
    return Worker(settings, settings.livekit(), database, clock, connections, carriers, queue_settings or {})


@dataclass
class Worker:
    settings: Settings
    livekit: LiveKit
    database: Database
    clock: Clock
    connections: Connections
    # Whom legs are dialed through instead of the connections.
    carriers: ConnectedCarriers | None
    queue_settings: Mapping[str, int]
    registry: CollectorRegistry = field(default_factory=process_registry)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`: then no job is taken any more, and those that run are finished. Raise if a queue fails us."""
        measure_database(self.registry, self.database)
        if missing := await readiness_of(self.database)():
            raise CannotWork(missing)
        if abandoned := await asyncio.to_thread(clear_abandoned):
            log.warning("abandoned_recordings_cleared", count=abandoned)
        timeout = aiohttp.ClientTimeout(total=_ROOM_ANSWERS_WITHIN_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                analyst(self.settings) as analyse,
                self._health(),
            ):
                await self._work_until(stop, RoomServer(self.livekit, http), analyse)
        finally:
            await self.connections.close()
            await self.database.close()
        log.info("worker_stopped")

    async def _work_until(self, stop: asyncio.Event, rooms: RoomServer, analyse: Analyse) -> None:
        addresses = self.settings.carrier_addresses()
        phones = phone_work(
            self.settings, self.database, self.clock, self.connections, self.carriers or self.connections
        )
        join_timeouts = JoinTimeouts(self.database, self.clock, timedelta(seconds=self.settings.join_timeout_seconds))
        after = after_calls(self.settings, self.database, self.clock, analyse)
        looked_after = sweeps_of_live_calls(self.settings, self.database, self.clock, rooms)
        sweeps = sweeps_of(self.database, self.clock, join_timeouts, (*looked_after, *after.sweeps, *phones.sweeps))
        work: dict[JobKind, Work] = {
            **phones.jobs,
            HAND_OVER: LegHandOver(self.database, self.carriers or self.connections, addresses, self.clock),
            FIND_HUMAN: in_transaction(self.database, self._transfers().find_human),
            CLOSE_ROOM: RoomCloser(rooms),
            DISPATCH: AgentDispatcher(self.database, self.clock, rooms, self._agent_calling()),
            **after.work,
            **hearing(self.database, LISTENERS),
            **sweeps.work,
        }
        runner = JobRunner(
            for_libpq(self.database.url),
            observed(self.registry, work),
            recurring=sweeps.recurring,
            concurrency={
                **CONCURRENCY,
                **phones.concurrency,
                DISPATCH.queue: _AGENTS_SENT_AT_ONCE,
                FACTS: _FACTS_HEARD_AT_ONCE,
            },
            settings=self.queue_settings,
        )
        leave_what_is_loaded()
        log.info("worker_started")
        running = asyncio.create_task(runner.run())
        await _first_of(running, stop.wait())
        if stop.is_set():
            await _finish(runner, running)
        await running
        await after.close()

    def _health(self) -> AbstractAsyncContextManager[None]:
        """Also while the last jobs are being finished."""
        measure = measure_work(self.registry, self.database)
        routes = health_routes(readiness_of(self.database), self.registry, measure)
        return health_page(self.settings, self.settings.worker_metrics_port, "RYMI_WORKER_PORT", routes)

    def _transfers(self) -> Transfers:
        return build_transfers(build_admission(self.settings), self.clock)

    def _agent_calling(self) -> AgentCalling:
        settings = self.settings
        passes = AgentPasses.from_text(settings.required_secret())
        return AgentCalling(settings.agent_name, settings.api_url_for_agents(), passes)


async def _finish(runner: JobRunner, running: asyncio.Task[None]) -> None:
    """What is not finished in time is left to the next worker, which finds it by its expired lock."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await runner.close()
            await running
    except TimeoutError as error:
        log.warning("jobs_left_unfinished", seconds=DRAIN_SECONDS)
        raise JobsLeft from error


async def _first_of(task: asyncio.Task[None], other: Awaitable[object]) -> None:
    waiting = asyncio.ensure_future(other)
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


if __name__ == "__main__":
    sys.exit(main())

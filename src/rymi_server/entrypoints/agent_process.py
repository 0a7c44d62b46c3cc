"""Agents as a process. It registers with LiveKit and holds the calls that it is given."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import structlog
from prometheus_client import CollectorRegistry, Gauge

from rymi_server.entrypoints.health_page import health_page
from rymi_server.entrypoints.measuring import process_registry
from rymi_server.entrypoints.settings import Settings, read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.tracing import trace_to
from rymi_server.foundation.logs import configure_logs
from rymi_server.http.health import Missing, health_routes
from rymi_server.runtime.recording.handing_in import Clearing, Storing
from rymi_server.runtime.recording.shelf import Shelf
from rymi_server.runtime.reporting.deathwatch import Deathwatch
from rymi_server.runtime.reporting.internal_api import InternalApi
from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.session.worker import AgentWorker, Work, Workplace

log = structlog.get_logger(__name__)

_CLEARS_EVERY_S: Final = 60.0


def run() -> None:
    settings = read_settings()
    configure_logs(settings.log_level, show_personal=settings.log_personal)
    trace_to(settings.otlp_endpoint, "rymi-agent")
    asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: Settings) -> None:
    await AgentProcess(settings).run(stop_requested())


@dataclass
class AgentProcess:
    settings: Settings
    registry: CollectorRegistry = field(default_factory=process_registry)
    _registered: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, and until the calls that run then have ended. Asked twice, they are left."""
        worker = AgentWorker(self._place(), self._on_registered)
        calls = Gauge("rymi_agent_calls", "Calls that this worker holds.", registry=self.registry)
        calls.set_function(lambda: worker.calls)
        most = Gauge("rymi_agent_most_calls", "Calls that this worker may hold.", registry=self.registry)
        most.set(self.settings.agent_most_calls)
        settings, health = self.settings, health_routes(self._ready, self.registry)
        shown = health_page(settings, settings.agent_port, "RYMI_AGENT_PORT", health)
        async with aiohttp.ClientSession() as http, shown:
            beside = [asyncio.create_task(self._clear(http)), asyncio.create_task(self._watch(http))]
            try:
                await worker.run(stop, stop_requested)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.wait(beside)
        log.info("agent_stopped")

    def _place(self) -> Workplace:
        settings = self.settings
        return Workplace(
            settings.livekit(),
            settings.agent_name,
            settings.agent_most_calls,
            settings.agent_idle_processes,
            settings.agent_drain_seconds,
            Work(
                settings.folder_for_agents(),
                settings.effective_storage_url(),
                settings.agent_linger_seconds,
                settings.log_level,
                settings.log_personal,
                settings.equipment(settings.data_folder),
                settings.engine_defaults(),
                settings.allow_private_webhooks,
                settings.livekit_url,
            ),
        )

    def _on_registered(self) -> None:
        self._registered.set()
        log.info("agent_started")

    async def _ready(self) -> list[Missing]:
        if self._registered.is_set():
            return []
        return [Missing("LiveKit", "LIVEKIT_URL does not lead to a server that takes this worker in.")]

    async def _watch(self, http: aiohttp.ClientSession) -> None:
        """Tell of agents that died here, once there is a worker to take their calls: LiveKit asks only who is there."""
        await self._registered.wait()

        async def tell(address: Address) -> None:
            await InternalApi(http, address).tell_of_death()

        await Deathwatch(self.settings.folder_for_agents(), tell).watch()

    async def _clear(self, http: aiohttp.ClientSession) -> None:
        """Finish what was left by agents that died here: at the start, and every minute."""
        folder = self.settings.folder_for_agents()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        clearing = Clearing(Shelf(folder), Storing(self.settings.storage()), http)
        while True:
            await clearing()
            await asyncio.sleep(_CLEARS_EVERY_S)

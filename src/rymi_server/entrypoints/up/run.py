"""`rymi up` from the first line to the last: database, migrations, first run, processes, and the way back."""

import asyncio
import importlib
import os
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from rymi_server.entrypoints.operating import Installation
from rymi_server.entrypoints.ports import as_socket, refuse_taken, url_on_this_machine
from rymi_server.entrypoints.revisions import is_up_to_date
from rymi_server.entrypoints.secrets_file import DEMO_KEY, secrets_of
from rymi_server.entrypoints.settings import Settings, WrongSettings, read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.up import demo
from rymi_server.entrypoints.up.births import HAS_NURSERIES, Births, Nurseries, Programs
from rymi_server.entrypoints.up.children import BOX, Child, children_of, has_rooms, rooms_url
from rymi_server.entrypoints.up.data_folder import claimed
from rymi_server.entrypoints.up.database import KeptDatabase
from rymi_server.entrypoints.up.invitation import invitation_to_call
from rymi_server.entrypoints.up.keeping import KeptChild
from rymi_server.entrypoints.up.screen import Screen, screen_for_this_terminal
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.postgres_supervisor import PostgresServer
from rymi_server.foundation.sealed import pepper_from_text

Table: TypeAlias = Callable[[Settings, Mapping[str, str]], list[Child]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is decided before anything is started."""

    settings: Settings
    environment: Mapping[str, str]
    children: list[Child]
    demo_key: str


def run(began: float, nurseries: Nurseries, table: Table = children_of) -> None:
    folder = read_settings().data_folder
    with claimed(folder):
        plan = plan_of(folder, os.environ, table)
        for child in plan.children:
            if child.port:
                refuse_taken(child.host, child.port, child.port_setting)
        if HAS_NURSERIES:
            nurseries.load(child.module for child in plan.children if not child.is_alone)
        screen = screen_for_this_terminal()
        try:
            asyncio.run(_up(plan, screen, nurseries, began))
        finally:
            screen.close()


def plan_of(folder: Path, environment: Mapping[str, str], table: Table) -> Plan:
    if "LIVEKIT_URL" in environment and not environment.get("LIVEKIT_API_SECRET"):
        raise WrongSettings("LIVEKIT_URL is set, so LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be, too.")
    kept = secrets_of(folder).complete(environment)
    demo_key = environment.get(DEMO_KEY) or kept.pop(DEMO_KEY)
    whole = {**kept, **environment}
    settings = read_settings(kept)
    api = url_on_this_machine(settings.http_host, settings.http_port)
    if "PUBLIC_BASE_URL" not in whole:
        whole["PUBLIC_BASE_URL"] = api
        # Else it is where the API is: both are behind one proxy.
        gateway = url_on_this_machine(settings.http_host, settings.gateway_port)
        whole.setdefault("PUBLIC_MEDIA_URL", as_socket(gateway))
    whole.setdefault("RYMI_INTERNAL_API_URL", api)
    # Who presses Ctrl-C does not wait for calls to end by themselves.
    whole.setdefault("RYMI_AGENT_DRAIN_SECONDS", "2")
    whole.setdefault("RYMI_GATEWAY_DRAIN_SECONDS", "2")
    if has_rooms(environment):
        whole["LIVEKIT_URL"] = rooms_url(environment)
        whole.setdefault("ROOMLET_WEBHOOK_URLS", f"{api}/internal/livekit/webhook")
    whole.pop(DEMO_KEY, None)
    children = table(settings, environment)
    box = next((child.url for child in children if child.name == BOX), None)
    if box:
        whole["RYMI_CARRIERBOX_URL"] = box
    return Plan(settings, whole, children, demo_key)


async def _up(plan: Plan, screen: Screen, nurseries: Nurseries, began: float) -> None:
    stop = stop_requested()
    database = None
    url = plan.settings.database_url
    if url is None:
        database = KeptDatabase(PostgresServer(plan.settings.data_folder, plan.settings.postgres_binaries), screen)
        url = database.server.url
    kept = [_kept(child, plan, url, screen, nurseries) for child in plan.children]
    keeping = [asyncio.create_task(each.keep()) for each in kept if each.child.is_alone]
    try:
        # Those begin to load before PostgreSQL holds everything up.
        await asyncio.sleep(0)
        if database:
            if not await _unless(stop, database.start()):
                return
            keeping.append(asyncio.create_task(database.keep()))
        found, invitation = await _prepare(Installation(plan.settings, url), plan.demo_key)
        line = PhoneLine(plan, next((each for each in kept if each.child.name == BOX), None), url, found, screen)
        keeping += [asyncio.create_task(each.keep()) for each in kept if not each.child.is_alone]
        if line.box:
            keeping.append(asyncio.create_task(line.keep()))
        ready = asyncio.create_task(_ready(kept, line.lay()))
        await _watch(keeping, stop, ready, lambda: screen.say(_welcome(plan, time.monotonic() - began, invitation)))
    finally:
        failed = [task for task in keeping if task.done()]
        await _stop(kept)
        for task in keeping:
            task.cancel()
        nurseries.close()
        # Last, because the others finish their work with it.
        if database:
            database.stop()
    for task in failed:
        task.result()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether `work` came to its end; where somebody asks to stop first, it is left."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        working.result()
        return True
    finally:
        working.cancel()
        stopping.cancel()


async def _watch(
    keeping: Sequence[asyncio.Task[None]],
    stop: asyncio.Event,
    ready: asyncio.Task[None],
    when_ready: Callable[[], None],
) -> None:
    """Until `stop`, or until one of them turns out never to start."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((*keeping, stopping, ready), return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            when_ready()
            await asyncio.wait((*keeping, stopping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        ready.cancel()


async def _stop(kept: Sequence[KeptChild]) -> None:
    """An agent that is on its way into a room still finds it, and can tell the API what was said."""
    for are_asked in (False, True):
        await asyncio.gather(*(each.stop() for each in kept if each.child.is_asked is are_asked))


async def _prepare(here: Installation, demo_key: str) -> tuple[demo.Demo | None, str]:
    """Bring the database up to date, see to the first run, and return whom to call and how."""
    async with here.transaction() as tx:
        up_to_date = await is_up_to_date(tx)
    if not up_to_date:
        # What migrates takes half a second to load, and most starts have nothing to migrate.
        await importlib.import_module("rymi_server.entrypoints.migrate").migrate(here.database_url)
    pepper, clock = pepper_from_text(here.settings.required_secret()), SystemClock()
    async with here.transaction() as tx:
        first = await demo.seed(tx, demo_key, pepper, here.settings.default_plan, clock)
        found = await demo.find_demo(tx, demo_key, pepper, clock)
    return found, invitation_to_call(here.settings, demo_key, found, clock.now(), first=first)


def _kept(child: Child, plan: Plan, url: str, screen: Screen, nurseries: Nurseries) -> KeptChild:
    logs = plan.settings.data_folder / "logs" if screen.covers_terminal else None
    if logs:
        logs.mkdir(mode=0o700, exist_ok=True)
    births: Births = Programs() if child.is_alone or not HAS_NURSERIES else nurseries
    return KeptChild(child, {**plan.environment, "DATABASE_URL": url}, screen, logs, births)


async def _ready(kept: Sequence[KeptChild], phone_line: Coroutine[Any, Any, None]) -> None:
    """Once every process is, and the demo account has its phone line."""
    laying = asyncio.create_task(phone_line)
    try:
        for each in kept:
            await each.ready.wait()
        await laying
    finally:
        laying.cancel()


@dataclass
class PhoneLine:
    """The demo account's, at the box: laid once the box is ready, and anew whenever it has forgotten everything."""

    plan: Plan
    box: KeptChild | None
    database_url: str
    found: demo.Demo | None
    screen: Screen

    async def lay(self) -> None:
        if self.box is None or self.found is None:
            return
        await self.box.ready.wait()
        # What talks to carriers takes a while to load, and others have the time by now.
        connect = importlib.import_module("rymi_server.entrypoints.up.box").connect_demo
        settings = read_settings(self.plan.environment)
        if why := await connect(settings, self.database_url, self.found.tenant_id, self.box.child.url):
            self.screen.say(why)

    async def keep(self) -> None:
        """Until it is cancelled."""
        while self.box is not None:
            await self.box.back.wait()
            self.box.back.clear()
            await self.lay()


def _welcome(plan: Plan, seconds: float, invitation: str) -> str:
    api = url_on_this_machine(plan.settings.http_host, plan.settings.http_port)
    return (
        f"\nRymi is ready after {seconds:.1f} s: {api}. Data is kept in {plan.settings.data_folder}.\n\n{invitation}\n"
    )

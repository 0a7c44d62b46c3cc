"""One dispatched job: from its metadata to a call that was held, recorded and reported."""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import structlog
from livekit import rtc

from rymi_server.foundation.errors import RymiError, Unavailable
from rymi_server.foundation.object_storage import ObjectStorage
from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.recording.handing_in import Storing
from rymi_server.runtime.recording.shelf import Shelf
from rymi_server.runtime.recording.tape import Tape
from rymi_server.runtime.reporting.internal_api import InternalApi
from rymi_server.runtime.reporting.journal import SUFFIX, Address, Journal
from rymi_server.runtime.reporting.life import LeftBehind, living
from rymi_server.runtime.reporting.reporter import Reporter
from rymi_server.runtime.reports import EndWanted, Happened
from rymi_server.runtime.session.call import CUT_SHORT, run_call
from rymi_server.runtime.session.cast import Cast, Times
from rymi_server.runtime.session.casting import Casting
from rymi_server.runtime.session.room import LiveKitRoom

log = structlog.get_logger(__name__)

_NEEDED: Final = ("call_id", "token", "api_url", "run")


class WrongJob(Unavailable):
    """A job whose metadata is not ours."""

    code = "wrong_job"

    def __init__(self) -> None:
        super().__init__("The job's metadata does not say which call it is for.", retryable=False)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a process has at hand for every call that it holds."""

    folder: Path
    storage: ObjectStorage
    casting: Casting
    linger_s: float
    is_closing: Callable[[], bool]


def address_in(metadata: str) -> Address:
    """Raise `WrongJob`."""
    try:
        told: Any = json.loads(metadata)
        return Address(told["api_url"], told["call_id"], told["token"], told["run"])
    except (ValueError, KeyError, TypeError) as error:
        raise WrongJob from error


async def hold_call(desk: Desk, address: Address, room: rtc.Room, connect: Callable[[], Awaitable[None]]) -> str:
    """Return why the call ended for this agent. Raise `NoBriefing`, and `LeftBehind` where only the agent has to go."""
    connecting = asyncio.ensure_future(connect())
    async with living(desk.folder, address), aiohttp.ClientSession() as http:
        api = InternalApi(http, address)
        try:
            briefing = await api.briefing()
        except Unavailable:
            connecting.cancel()
            raise
        reason = await _hold(desk, api, briefing, LiveKitRoom(room, lambda: _connected(connecting)))
        if reason == CUT_SHORT:
            raise LeftBehind(reason)
        return reason


async def _connected(connecting: "asyncio.Future[None]") -> None:
    await connecting


async def _hold(desk: Desk, api: InternalApi, briefing: Briefing, media: LiveKitRoom) -> str:
    address = api.address
    journal = Journal(desk.folder / f"{address.call_id}.{address.run}.{os.getpid()}{SUFFIX}", address)
    reporter = Reporter(api.post, address.run, journal)
    tape = _tape(desk, address, briefing)
    times = Times(time.monotonic, lambda: datetime.now(UTC), linger_s=desk.linger_s, is_closing=desk.is_closing)
    reporter.start()
    cast: Cast | None = None
    try:
        cast = desk.casting.cast(briefing, lambda text: reporter.send(Happened(level="warning", message=text[:2_000])))
        return await run_call(media, briefing, reporter, cast, times, tape)
    except RymiError as error:
        # What was ready when the call was accepted is not ready here. Another process of ours would fare no better.
        log.error("call_not_held", code=error.code, error=error.message)
        reporter.send(Happened(level="error", message=error.message[:2_000]))
        reporter.send(EndWanted(reason="agent_failed"))
        return error.code
    except Exception as error:
        log.exception("call_failed")
        reporter.send(Happened(level="error", message=f"The agent failed: {type(error).__name__}"))
        raise
    finally:
        await reporter.aclose()
        if tape is not None:
            # What the journal holds is told sooner or later, so the piece is done with either way.
            tape.let_go()
        if cast is not None:
            await cast.ear.aclose()
            await cast.voice.aclose()


def _tape(desk: Desk, address: Address, briefing: Briefing) -> Tape | None:
    recording = briefing.post_call.get("recording") or {}
    if not recording.get("enabled"):
        return None
    shelf = Shelf(desk.folder)
    return Tape(
        lambda started_at_ms: shelf.piece(address, briefing.tenant_id, started_at_ms),
        Storing(desk.storage),
        keeps_tracks=recording.get("tracks") is True,
    )

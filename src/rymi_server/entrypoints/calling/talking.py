"""Holds a call from the terminal: comes in, speaks in its turn, leaves, and waits for what is made of the call."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from rymi_server.entrypoints.calling.account import Account, CannotCall
from rymi_server.entrypoints.calling.caller import Caller, Hearing
from rymi_server.entrypoints.calling.dialogue import NextLine
from rymi_server.entrypoints.calling.phoning import BoxPhone
from rymi_server.entrypoints.calling.sounds import Devices, Lines
from rymi_server.entrypoints.calling.telling import Telling

# An agent that has paused for so long has finished.
_FINISHED_AFTER_SECONDS = 0.8
_ANSWERS_WITHIN_SECONDS = 12.0
_LOOKS_EVERY_SECONDS = 0.05
_WRITTEN_WITHIN_SECONDS = 1.5
_RESULTS_WITHIN_SECONDS = 30.0
_ANALYSIS_BEGINS_WITHIN_SECONDS = 6.0
_SPEAKING = "speaking"


class Speaker(Protocol):
    async def say(self, text: str) -> None: ...


class Ears(Protocol):
    """When the agent was last heard."""

    @property
    def loud_at(self) -> float | None: ...

    @property
    def quiet_seconds(self) -> float: ...


@dataclass
class Talk:
    account: Account
    telling: Telling
    identity: str
    agent_state: str = ""
    # While it speaks, that is now.
    agent_spoke_at: float | None = None
    # The agent's words since the caller spoke last.
    agent_said: list[str] = field(default_factory=list)
    agent_spoke: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def with_lines(self, agent: dict[str, Any], next_line: NextLine, voice: str) -> None:
        """Say a line each time the agent has finished, and leave when there is none."""
        mouth = Lines(voice)
        try:
            await self._at_web(agent, Caller(mouth, Hearing()), _Script(self, mouth, next_line))
        finally:
            await mouth.aclose()

    async def with_devices(self, agent: dict[str, Any]) -> None:
        """Until somebody hangs up."""
        devices = Devices()
        try:
            await self._at_web(agent, Caller(devices, Hearing(devices.play)), None)
        finally:
            devices.close()

    async def from_phone(self, phone: BoxPhone, call: dict[str, Any], agent_name: str, next_line: NextLine) -> None:
        """The same at a phone that has rung here."""
        talks = _Script(self, phone, next_line).run(_AsTold(self))
        await self._hold(call, agent_name, talks, phone.hang_up)

    async def to_phone(self, agent: dict[str, Any], number: str) -> None:
        """Ring a phone and watch. Ctrl-C ends the call."""
        call = await self.account.create_call(agent["id"], [{"transport": "pstn", "identity": number}])
        await self._hold(call, agent["name"], asyncio.Event().wait(), partial(self._end, call["id"]))

    async def _at_web(self, agent: dict[str, Any], caller: Caller, script: "_Script | None") -> None:
        call = await self.account.create_call(agent["id"], [{"transport": "webrtc", "identity": self.identity}])
        access = call["participants"][0]["access"]

        async def talks() -> None:
            await caller.enter(access["url"], access["token"])
            await _first_of(caller.put_out.wait(), *([script.run(caller.hearing)] if script else []))

        await self._hold(call, agent["name"], talks(), caller.leave)

    async def _hold(
        self,
        call: dict[str, Any],
        agent_name: str,
        until: Awaitable[object],
        leave: Callable[[], Awaitable[None]],
    ) -> None:
        """Tell of the call until then, or until it is over. Ctrl-C leaves it; its summary is still told."""
        self.telling.begin(call, agent_name)
        watching = asyncio.create_task(self._watch(call["id"]))
        try:
            await _first_of(until, self._over.wait(), asyncio.shield(watching))
        except asyncio.CancelledError:
            if (here := asyncio.current_task()) is not None:
                here.uncancel()
        finally:
            await leave()
        await self._conclude(call["id"], watching)

    async def _end(self, call_id: str) -> None:
        if not self._over.is_set():
            await self.account.end(call_id)

    async def _conclude(self, call_id: str, watching: asyncio.Task[None]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RESULTS_WITHIN_SECONDS):
                await watching
        watching.cancel()
        call, recording = await self._results(call_id)
        self.telling.result(call, recording)

    async def _watch(self, call_id: str) -> None:
        async for told in self.account.stream(call_id):
            if told.kind == "agent_state":
                if _SPEAKING in (self.agent_state, told.data["state"]):
                    self.agent_spoke_at = time.monotonic()
                self.agent_state = told.data["state"]
            if told.kind == "transcript" and told.data["speaker"] == "agent":
                self.agent_said.append(told.data["text"])
                self.agent_spoke.set()
            if told.kind == "status" and told.data["status"] in ("completed", "failed"):
                self._over.set()
            self.telling.happened(told)

    async def _results(self, call_id: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """The call once it is billed and analysed and its recording is ready, or as it is when that takes long."""
        since = time.monotonic()
        while True:
            call, recording = await self.account.call(call_id), await self.account.recording(call_id)
            waited = time.monotonic() - since
            pending = recording is not None and recording["status"] == "pending"
            if waited > _RESULTS_WITHIN_SECONDS or (_is_finished(call, waited) and not pending):
                return call, recording
            await asyncio.sleep(0.5)


@dataclass(frozen=True)
class _AsTold:
    """What is heard of the agent according to the call's stream, for who does not hear it."""

    talk: Talk

    @property
    def loud_at(self) -> float | None:
        return time.monotonic() if self.talk.agent_state == _SPEAKING else self.talk.agent_spoke_at

    @property
    def quiet_seconds(self) -> float:
        return time.monotonic() - self.loud_at if self.loud_at is not None else float("inf")


@dataclass(frozen=True)
class _Script:
    talk: Talk
    mouth: Speaker
    next_line: NextLine

    async def run(self, hearing: Ears) -> None:
        since = time.monotonic()
        while True:
            await self._agent_finishes(hearing, since)
            line = self.next_line(await self._asked())
            if line is None:
                return
            await self.mouth.say(line)
            since = time.monotonic()

    async def _asked(self) -> str:
        """What was heard is written down a moment later."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_WRITTEN_WITHIN_SECONDS):
                await self.talk.agent_spoke.wait()
        asked = " ".join(self.talk.agent_said)
        self.talk.agent_said.clear()
        self.talk.agent_spoke.clear()
        return asked

    async def _agent_finishes(self, hearing: Ears, since: float) -> None:
        """It has spoken since then and is quiet now. One that says nothing for long has nothing to say."""
        while True:
            await asyncio.sleep(_LOOKS_EVERY_SECONDS)
            spoke = hearing.loud_at is not None and hearing.loud_at > since
            busy = self.talk.agent_state in ("thinking", _SPEAKING)
            if spoke and not busy and hearing.quiet_seconds > _FINISHED_AFTER_SECONDS:
                return
            if min(time.monotonic() - since, hearing.quiet_seconds) > _ANSWERS_WITHIN_SECONDS:
                return


async def _first_of(*ends: Awaitable[Any]) -> None:
    """Until one of these has happened. Raise what it raises."""
    tasks = [asyncio.ensure_future(each) for each in ends]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _is_finished(call: dict[str, Any], waited_seconds: float) -> bool:
    if call["status"] not in ("completed", "failed") or call["bill_duration"] is None:
        return False
    # An analysis that has not begun by then was not asked for.
    begun = call["intelligence_status"] != "not_started" or waited_seconds < _ANALYSIS_BEGINS_WITHIN_SECONDS
    return call["status"] == "failed" or call["intelligence_status"] in ("completed", "failed") or not begun


def refuse_no_lines(lines: Sequence[str]) -> None:
    if any(not line.strip() for line in lines):
        raise CannotCall("--say needs something to say.")

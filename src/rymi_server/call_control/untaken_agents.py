"""Has an agent sent for again whose call no worker took, because none was registered or all were busy.

Our room server keeps such a wish until a worker is free. A LiveKit server drops it and tells nobody, so it is asked.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from rymi_server.call_control.api_presence import reachable_since
from rymi_server.call_control.lost_agents import replace
from rymi_server.calls import agent_runs, store
from rymi_server.calls.agent_runs import AgentRun, Unheard
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId
from rymi_server.rooms.dispatch import enqueue_untaken
from rymi_server.rooms.naming import room_name
from rymi_server.rooms.server import LiveKitUnavailable, RoomServer, Uptake

log = structlog.get_logger(__name__)

# An agent whose worker was there is heard of by then. The sweep comes every two seconds.
_SHORTEST = timedelta(seconds=1.5)
# Many at once come more slowly, and each that is sent for twice makes it worse. A LiveKit server may take five seconds
# to name a job that a worker has taken, so after that time nobody is sent for twice.
_FOR_EACH = timedelta(seconds=0.5)
_NAMED_WITHIN = timedelta(seconds=5.5)
# The longer nobody came, the less often workers are asked: nine times in the first half minute.
_OF_THE_TIME_SINCE = 4
_LONGEST = timedelta(seconds=10)
_AT_A_TIME = 500
_SIDE_BY_SIDE = 8


def asked_again_after(since_wanted: timedelta, others: int) -> timedelta:
    """How long an agent is left alone that was last asked for `since_wanted` after it was first wanted.

    `others` are waited for as well.
    """
    crowded = min(_SHORTEST + _FOR_EACH * others, _NAMED_WITHIN)
    return min(max(crowded, since_wanted / _OF_THE_TIME_SINCE), _LONGEST)


class UntakenAgents:
    """The sweep. No call is locked while the room server is asked."""

    def __init__(self, database: Database, clock: Clock, rooms: RoomServer) -> None:
        self._database = database
        self._clock = clock
        self._rooms = rooms
        # When a run was asked about, so that one that a worker has taken is not asked about at every turn.
        self._asked: dict[tuple[CallId, str], datetime] = {}
        self._is_away = False

    async def sweep(self) -> None:
        due = await self._due()
        if not due:
            return
        try:
            open_rooms = await self._rooms.open_rooms()
        except LiveKitUnavailable as error:
            # It is back sooner or later, and other sweeps complain as well.
            if not self._is_away:
                log.warning("agents_not_looked_for", error=error.message)
            self._is_away = True
            return
        self._is_away = False
        turns = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def look(sent: Unheard) -> None:
            async with turns:
                await self._look_for(sent, is_open=room_name(sent.call_id) in open_rooms)

        async with asyncio.TaskGroup() as looking:
            for sent in due:
                looking.create_task(look(sent))

    async def _due(self) -> list[Unheard]:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            # Without an API no agent is told what its call is about, and none is heard of.
            if await reachable_since(tx, now) is None:
                return []
            unheard = await agent_runs.unheard(tx, now - _SHORTEST, _AT_A_TIME)
        sent = {(each.call_id, each.run): each.dispatched_at for each in unheard}
        self._asked = {run: max(at, self._asked.get(run, at)) for run, at in sent.items()}
        return [each for each in unheard if self._is_due(each, len(unheard) - 1, now)]

    def _is_due(self, sent: Unheard, others: int, now: datetime) -> bool:
        asked = self._asked[sent.call_id, sent.run]
        return now - asked >= asked_again_after(asked - sent.created_at, others)

    async def _look_for(self, sent: Unheard, *, is_open: bool) -> None:
        """A room that is not there has nobody who was sent for."""
        self._asked[sent.call_id, sent.run] = self._clock.now()
        try:
            uptake = await self._uptake(sent) if is_open else None
        except LiveKitUnavailable as error:
            log.debug("agent_not_looked_for", call_id=sent.call_id, error=error.message)
            return
        if uptake is Uptake.TAKEN:
            return
        async with self._database.transaction() as tx:
            call = await store.lock_by_room(tx, sent.call_id)
            serving = await agent_runs.current(tx, sent.call_id)
            if call is None or call.status in OVER or serving is None or serving.run != sent.run:
                return
            if uptake is Uptake.ENDED:
                await self._ended(tx, call, serving)
            else:
                await self._untaken(tx, call, serving)

    async def _uptake(self, sent: Unheard) -> Uptake | None:
        """None where the server does not know the dispatch."""
        listed = await self._rooms.agents_sent(room_name(sent.call_id))
        return next((each.uptake for each in listed if each.id == sent.dispatch_id), None)

    async def _ended(self, tx: Transaction, call: Call, serving: AgentRun) -> None:
        """A worker took it, so this is an agent that died."""
        if serving.heard_at is None:
            await replace(tx, call, serving, "The agent ended before it came", self._clock.now())

    async def _untaken(self, tx: Transaction, call: Call, serving: AgentRun) -> None:
        now = self._clock.now()
        runs = await agent_runs.of_call(tx, call.id)
        if not await enqueue_untaken(tx, call, serving, now):
            return
        # Said once for each agent, by whose first wish its runs are known.
        if [run.created_at for run in runs].count(serving.created_at) == 1:
            said = "No agent worker has taken the call, and they are asked again"
            await record(tx, call.id, Source.LIVEKIT, said, now, Level.WARNING)
            log.warning("agent_untaken", call_id=call.id)

"""A call as it happens: what is kept, from wherever a reader was; what only passes by, from now on.

A place in the stream is the last event and the last line that were read. Both only grow, so that a reader who comes
again misses nothing and is told nothing twice, whatever order they were sent in.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Final

from rymi_server.call_views.detail import event_json
from rymi_server.call_views.live_feed import LiveFeed, Watch
from rymi_server.call_views.results import segments
from rymi_server.call_views.shapes import instant
from rymi_server.calls import agent_runs, store
from rymi_server.calls.lifecycle import OVER
from rymi_server.events import store as events
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.errors import Invalid
from rymi_server.foundation.ids import TenantId
from rymi_server.transcripts import store as transcripts

_KEEP_ALIVE_SECONDS: Final = 15.0
# The end of an agent's run is noticed by looking.
_LOOKS_AT_THE_END_SECONDS: Final = 0.5
_PLACE = re.compile(r"(\d{1,18})-(-1|\d{1,9})(-end)?")


@dataclass(frozen=True, slots=True)
class Place:
    event: int = 0
    line: int = -1
    ended: bool = False

    @classmethod
    def from_text(cls, text: str | None) -> "Place":
        """Of a `Last-Event-ID`."""
        if not text:
            return cls()
        found = _PLACE.fullmatch(text)
        if found is None:
            raise Invalid("This is no id of an event of ours.", where="Last-Event-ID")
        return cls(int(found[1]), int(found[2]), found[3] is not None)

    def __str__(self) -> str:
        return f"{self.event}-{self.line}{'-end' if self.ended else ''}"


@dataclass(frozen=True, slots=True)
class Sent:
    """One event of the stream. `place` is where a reader is after it; None for what is not kept."""

    kind: str
    data: dict[str, Any]
    place: Place | None = None

    def as_text(self) -> str:
        """As server-sent events are written: an id, a name, one line of data."""
        at = f"id: {self.place}\n" if self.place else ""
        return f"{at}event: {self.kind}\ndata: {json.dumps(self.data, ensure_ascii=False)}\n\n"


@dataclass(frozen=True, slots=True)
class LiveCalls:
    """Streams calls."""

    database: Database
    feed: LiveFeed
    clock: Clock

    async def refuse_unknown(self, tenant_id: TenantId, call_id: str) -> None:
        """Before a stream begins, because afterwards nothing can be refused."""
        async with self.database.transaction() as tx:
            await store.get(tx, tenant_id, call_id)
        self.feed.refuse_beyond_limit()

    async def stream(self, tenant_id: TenantId, call_id: str, place: Place) -> AsyncIterator[str]:
        """Until the call is over and its last word is told, or the reader is too slow, or this process stops."""
        async with self.feed.watching(call_id) as watch:
            reading = _Reading(self, tenant_id, call_id, place)
            yield "retry: 1000\n\n"
            async for sent in reading.until_the_end(watch):
                yield sent


class _Reading:
    def __init__(self, live: LiveCalls, tenant_id: TenantId, call_id: str, place: Place) -> None:
        self._live, self._tenant_id, self._call_id = live, tenant_id, call_id
        self._place = place
        self._state: dict[str, Any] | None = None
        self._told: set[str] = set()
        self._over = False

    async def until_the_end(self, watch: Watch) -> AsyncIterator[str]:
        passing: list[str] | None = []
        while True:
            if passing is None and not self._over:
                yield ": keep-alive\n\n"
            async with self._live.database.transaction() as tx:
                kept, finished = await self._look(tx)
            for sent in [*kept, *(_passing(each) for each in passing or ())]:
                yield sent.as_text()
            if finished:
                ended = replace(self._place, ended=True)
                yield Sent("end", self._state or {}, ended).as_text()
                return
            if watch.overrun:
                yield Sent("cut", {"reason": "too_slow", "message": "Come again with the last id."}).as_text()
                return
            if self._live.feed.stopping.is_set():
                yield Sent("cut", {"reason": "restart", "message": "Come again with the last id."}).as_text()
                return
            passing = await watch.news(_LOOKS_AT_THE_END_SECONDS if self._over else _KEEP_ALIVE_SECONDS)

    async def _look(self, tx: Transaction) -> tuple[list[Sent], bool]:
        """What is new in the tables, and whether that is all that there will ever be."""
        call = await store.get(tx, self._tenant_id, self._call_id)
        # Before the lines are read, so that none can come between.
        more_may_come = await agent_runs.still_reporting(tx, call.id, self._live.clock.now())
        self._over = call.status in OVER
        found = await self._state_if_new(tx, call.id)
        found += await self._new_events(tx, call.id)
        found += await self._new_lines(tx, call.id)
        return found, self._over and not more_may_come

    async def _state_if_new(self, tx: Transaction, call_id: Any) -> list[Sent]:
        call = await store.get(tx, self._tenant_id, call_id)
        people = await store.participants_of(tx, call_id)
        state = {
            "call_id": call.id,
            "status": call.status,
            "end_reason": call.end_reason,
            "started_at": instant(call.started_at),
            "ended_at": instant(call.ended_at),
            "participants": [
                {"id": p.id, "identity": p.identity, "role": p.role, "transport": p.transport, "status": p.status}
                for p in people
            ],
        }
        if state == self._state:
            return []
        self._state = state
        return [Sent("status", state)]

    async def _new_events(self, tx: Transaction, call_id: Any) -> list[Sent]:
        """One that was written before another may be seen after it; it is looked for a little further back."""
        sent = []
        for number, event in await events.after(tx, call_id, self._place.event, overlap=20 if self._told else 0):
            if event.id in self._told:
                continue
            self._told.add(event.id)
            self._place = replace(self._place, event=max(number, self._place.event))
            sent.append(Sent("event", event_json(event), self._place))
        return sent

    async def _new_lines(self, tx: Transaction, call_id: Any) -> list[Sent]:
        sent = []
        for entry in await transcripts.after(tx, call_id, self._place.line):
            self._place = replace(self._place, line=entry.sequence)
            (segment,) = segments([entry])
            sent.append(Sent("transcript", {**segment, "segment_id": entry.segment_id}, self._place))
        return sent


def _passing(payload: str) -> Sent:
    told = json.loads(payload)
    kinds = {"drafted": "draft", "speaking": "speaking", "agent_state": "agent_state"}
    kind = told.pop("kind")
    line = told.pop("line", {})
    return Sent(kinds[kind], {**line, **told})

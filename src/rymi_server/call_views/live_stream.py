"""A call as it happens: what is kept, from wherever a reader was; what only passes by, from now on.

A place in the stream is the last event and the last line that were read. Both only grow, so that a reader who comes
again misses nothing and is told nothing twice, whatever order they were sent in. Lines are read as they were told, also
once the transcript has been put in order.

No line comes after the news that the call has ended: words are often on their way when it does, so that news waits.
"""

import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Final

from rymi_server.call_views.detail import event_json
from rymi_server.call_views.live_feed import LiveFeed, Watch
from rymi_server.call_views.results import segments
from rymi_server.call_views.shapes import instant
from rymi_server.calls import agent_runs, store
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call
from rymi_server.events import store as events
from rymi_server.events.models import Event
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.errors import Invalid
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.transcripts import store as transcripts

_KEEP_ALIVE_SECONDS: Final = 15.0
# The silence of an agent is noticed by looking.
_LOOKS_AT_THE_END_SECONDS: Final = 0.5
# Among the events of all calls.
_LOOKS_BACK: Final = 20
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

    async def admit(self, tenant_id: TenantId, call_id: str) -> CallId:
        """The call in our spelling, which is the one that word of it comes under. What is to be refused is refused
        before a stream begins, because afterwards nothing can be."""
        async with self.database.transaction() as tx:
            call = await store.get(tx, tenant_id, call_id)
        self.feed.refuse_beyond_limit()
        return call.id

    async def stream(self, tenant_id: TenantId, call_id: CallId, place: Place) -> AsyncIterator[str]:
        """Until the call is over and its last word is told, or the reader is too slow, or this process stops."""
        async with self.feed.watching(call_id) as watch:
            reading = _Reading(self, tenant_id, call_id, place)
            yield "retry: 1000\n\n"
            async for sent in reading.until_the_end(watch):
                yield sent


@dataclass(frozen=True, slots=True)
class _News:
    """What a look at the tables has found. `of_the_end` is told after what passed by until then."""

    kept: list[Sent]
    of_the_end: list[Sent]
    finished: bool


class _Reading:
    def __init__(self, live: LiveCalls, tenant_id: TenantId, call_id: CallId, place: Place) -> None:
        self._live, self._tenant_id, self._call_id = live, tenant_id, call_id
        self._place = self._came_at = place
        self._state: dict[str, Any] | None = None
        self._told: set[str] = set()
        self._over = False

    async def until_the_end(self, watch: Watch) -> AsyncIterator[str]:
        passing: list[str] | None = []
        while True:
            if passing is None and not self._over:
                yield ": keep-alive\n\n"
            async with self._live.database.transaction() as tx:
                news = await self._look(tx)
            for sent in [*news.kept, *(_passing(each) for each in passing or ()), *news.of_the_end]:
                yield sent.as_text()
            if news.finished:
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

    async def _look(self, tx: Transaction) -> _News:
        """What is new in the tables, and whether that is all that there will ever be. Each statement sees what was
        committed before it: the end is looked for behind the events, the last lines behind the last word."""
        events_now = await self._unread_events(tx)
        call = await store.get(tx, self._tenant_id, self._call_id)
        now = self._live.clock.now()
        more_may_be_said = await agent_runs.more_may_be_said(tx, call.id, now)
        more_may_come = await agent_runs.still_reporting(tx, call.id, now)
        self._over = call.status in OVER
        if not self._over:
            found = await self._state_if_new(tx, call)
            return _News([*found, *self._told_of(events_now), *await self._new_lines(tx)], [], False)
        kept = self._told_of(takewhile(lambda numbered: _is_before_the_end(numbered[1], call), events_now))
        kept += await self._new_lines(tx)
        if more_may_be_said:
            return _News(kept, [], False)
        state = await self._state_if_new(tx, call)
        return _News(kept, [*state, *self._told_of(await self._unread_events(tx))], not more_may_come)

    async def _state_if_new(self, tx: Transaction, call: Call) -> list[Sent]:
        people = await store.participants_of(tx, call.id)
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

    async def _unread_events(self, tx: Transaction) -> list[tuple[int, Event]]:
        """One that was written before another may be seen after it; it is looked for a little further back, but not
        among those that were read before this reader came again."""
        overlap = min(_LOOKS_BACK, self._place.event - self._came_at.event)
        found = await events.after(tx, self._call_id, self._place.event, overlap=overlap)
        return [(number, event) for number, event in found if event.id not in self._told]

    def _told_of(self, unread: Iterable[tuple[int, Event]]) -> list[Sent]:
        sent = []
        for number, event in unread:
            self._told.add(event.id)
            self._place = replace(self._place, event=max(number, self._place.event))
            sent.append(Sent("event", event_json(event), self._place))
        return sent

    async def _new_lines(self, tx: Transaction) -> list[Sent]:
        sent = []
        for told, entry in await transcripts.after(tx, self._call_id, self._place.line):
            self._place = replace(self._place, line=told)
            # Within a stream no two lines have one number, whichever of them were read before they were put in order.
            (segment,) = segments([replace(entry, sequence=told)])
            sent.append(Sent("transcript", {**segment, "segment_id": entry.segment_id}, self._place))
        return sent


def _is_before_the_end(event: Event, call: Call) -> bool:
    return call.ended_at is None or event.created_at < call.ended_at


def _passing(payload: str) -> Sent:
    told = json.loads(payload)
    kinds = {"drafted": "draft", "speaking": "speaking", "agent_state": "agent_state"}
    kind = told.pop("kind")
    line = told.pop("line", {})
    return Sent(kinds[kind], {**line, **told})

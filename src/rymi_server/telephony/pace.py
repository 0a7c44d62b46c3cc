"""How fast a carrier account may be dialed: one row an account, that every worker takes turns from.

A leg is promised roughly when its turn comes, so that it need not ask again and again. When that is near it waits at
the turnstile, and takes its turn there at the last moment: turns lie an interval apart on the database's clock, few
are taken ahead, and whoever was held up past theirs takes another. So those who were held up together do not ring
together. A leg that people in a call wait for goes to the turnstile at once, as long as few of them do.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Protocol
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import LegId
from rymi_server.foundation.statements import Statement
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import ConnectedCarrier
from rymi_server.telephony.models import Leg, dial_pace

# Turns that are nearer than this are waited for in place.
NEAR = timedelta(seconds=3)
# Who waits elsewhere comes back this much earlier, because the queue wakes a job to the second only.
EARLY = timedelta(seconds=2)
# A little slower than the limit: a request under way may be held up, and the next one not, and a carrier that refuses
# what is too much in any rolling second would see one too many. One that keeps it waiting does no harm.
_MARGIN, _MARGIN_WHERE_EXCESS_WAITS = 1.03, 1.005
# The larger one leaves so much of a second over. A turn may be taken so late without the next one being later for it.
_LEEWAY_S = 0.025
# A turn is used a quarter of an interval late beyond that, which is at most one call too many in any second, and not
# later. Where a call too many only waits, it waits for so long at the carrier, and as many turns are not lost.
_USED_LATE, _USED_LATE_WHERE_EXCESS_WAITS_S = 0.25, 0.2
# So long before its moment a turn is handed out, for what has still to be done then. Two are at a time, at least,
# because one may take longer than an interval to prepare; and not many, because they are what a crash costs.
_AHEAD_S, _FEWEST_AHEAD, _MOST_AHEAD = 0.5, 2, 10
# Whoever was held up three times goes when they can, or a busy machine would have everybody wait for ever.
_MOST_TURNS = 3
_ASK_AGAIN_ABOUT_ROOM = timedelta(seconds=3)

Sleep = Callable[[float], Awaitable[None]]

_now = sa.func.clock_timestamp()
_interval = sa.bindparam("interval", type_=sa.Interval)
_leeway = sa.literal(timedelta(seconds=_LEEWAY_S), sa.Interval)
_TAKE_TURN = Statement(
    insert(dial_pace)
    .values(account=sa.bindparam("account"), next_at=_now + _interval, promised_at=_now)
    .on_conflict_do_update(
        index_elements=[dial_pace.c.account],
        set_={"next_at": sa.func.greatest(dial_pace.c.next_at, _now - _leeway) + _interval},
    )
    .returning(sa.extract("epoch", dial_pace.c.next_at - _interval - _now))
)
_here = sa.bindparam("here", type_=sa.DateTime(timezone=True))
_PROMISE = Statement(
    insert(dial_pace)
    .values(account=sa.bindparam("account"), next_at=_now, promised_at=_here + _interval)
    .on_conflict_do_update(
        index_elements=[dial_pace.c.account],
        set_={"promised_at": sa.func.greatest(dial_pace.c.promised_at, _here) + _interval},
    )
    .returning(dial_pace.c.promised_at - _interval)
)
_SLOW_DOWN = Statement(
    insert(dial_pace)
    .values(account=sa.bindparam("account"), next_at=_now + _interval, promised_at=_here + _interval)
    .on_conflict_do_update(
        index_elements=[dial_pace.c.account],
        set_={
            "next_at": sa.func.greatest(dial_pace.c.next_at, _now + _interval),
            "promised_at": sa.func.greatest(dial_pace.c.promised_at, _here + _interval),
        },
    )
)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Come back then. `promised` is roughly when the turn will be; None where nobody can say."""

    ask_at: datetime
    promised: datetime | None


class Paced(Protocol):
    """An account with the limit that it is dialed within."""

    @property
    def account(self) -> str: ...
    @property
    def calls_per_second(self) -> float: ...
    @property
    def refuses_excess(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """That of an account, without what opens it."""

    account: str
    calls_per_second: float
    refuses_excess: bool


def interval_of(connected: Paced) -> timedelta:
    margin = _MARGIN if connected.refuses_excess else _MARGIN_WHERE_EXCESS_WAITS
    return timedelta(seconds=margin / connected.calls_per_second)


async def not_near(
    tx: Transaction, connected: ConnectedCarrier, leg: Leg, now: datetime, *, is_awaited: bool
) -> NotYet | None:
    """None for whoever's turn is near, or who is awaited. Who was promised nothing yet takes the next place in the
    line of promises: whoever is awaited, too, because those behind have one turn less."""
    promised = leg.dial_at
    if promised and promised - now > NEAR:
        return NotYet(promised - EARLY, promised)
    if not await _has_room(tx, connected, leg, now, is_awaited=is_awaited):
        return NotYet(now + _ASK_AGAIN_ABOUT_ROOM, None)
    if promised is None:
        asked = {"account": connected.account, "interval": interval_of(connected), "here": now}
        place: datetime = (await _PROMISE.one(tx, asked))[0]
        if place - now > NEAR and not is_awaited:
            return NotYet(place - EARLY, place)
    return None


async def without_room(
    tx: Transaction, connected: ConnectedCarrier, leg: Leg, now: datetime, *, is_awaited: bool
) -> NotYet | None:
    """Asked once more by whoever has a turn, because others have taken theirs meanwhile. They wait for `tx`."""
    if connected.concurrent_calls is None:
        return None
    held = sa.select(dial_pace.c.account).where(dial_pace.c.account == connected.account).with_for_update()
    await tx.execute(held)
    has_room = await _has_room(tx, connected, leg, now, is_awaited=is_awaited)
    return None if has_room else NotYet(now + _ASK_AGAIN_ABOUT_ROOM, None)


async def slow_down(tx: Transaction, connected: ConnectedCarrier, now: datetime) -> None:
    """The carrier says that it is too much: it costs everybody a turn."""
    said = {"account": connected.account, "interval": interval_of(connected), "here": now}
    await _SLOW_DOWN.run(tx, said)


async def _has_room(tx: Transaction, connected: ConnectedCarrier, leg: Leg, now: datetime, *, is_awaited: bool) -> bool:
    most = connected.concurrent_calls
    if most is None:
        return True
    free = most - await store.live_on_account(tx, connected.account)
    if free == 1 and not is_awaited:
        # A whole batch asks for it, of which one would always come before whoever is awaited.
        return not await store.somebody_is_awaited(tx, leg.tenant_id, now)
    return free > 0


class Promised:
    """The pace of those whom this process has promised a moment. Whoever is not found here is looked up."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._paces: dict[LegId, Pace] = {}

    def keep(self, leg_id: LegId, connected: Paced) -> None:
        if len(self._paces) >= self._most and leg_id not in self._paces:
            # The first one kept. Another process may have had its job.
            del self._paces[next(iter(self._paces))]
        self._paces[leg_id] = Pace(connected.account, connected.calls_per_second, connected.refuses_excess)

    def taken(self, leg_id: LegId) -> Pace | None:
        return self._paces.pop(leg_id, None)


class Turnstile:
    """Lets the calls of this process through, in the order that they came, each in its turn."""

    def __init__(self, database: Database, sleep: Sleep = asyncio.sleep) -> None:
        self._database = database
        self._sleep = sleep
        self._lines: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._waiting: Counter[str] = Counter()
        self._awaited: Counter[str] = Counter()

    def wait_for(self, connected: Paced) -> timedelta:
        """How long whoever came now would wait, by those who wait here."""
        return interval_of(connected) * self._waiting[connected.account]

    def wait_for_awaited(self, connected: Paced) -> timedelta:
        """The part of it that is due to those who did not stand in the line of promises."""
        return interval_of(connected) * self._awaited[connected.account]

    @asynccontextmanager
    async def turn(self, connected: Paced, *, is_awaited: bool = False) -> AsyncIterator["Turn"]:
        """Shortly before a turn that is the caller's. It is theirs until the block ends, and should be used then."""
        interval_s = interval_of(connected).total_seconds()
        account = connected.account
        line = self._lines.get(account)
        if line is None:
            ahead = min(max(_FEWEST_AHEAD, ceil(_AHEAD_S / interval_s)), _MOST_AHEAD)
            line = self._lines[account] = asyncio.Semaphore(ahead)
        with _counted(self._waiting, account), _counted(self._awaited, account, int(is_awaited)):
            await line.acquire()
        try:
            turn = Turn(self._database, connected, self._sleep)
            await turn.take()
            yield turn
        finally:
            line.release()


@contextmanager
def _counted(waiting: Counter[str], account: str, many: int = 1) -> Iterator[None]:
    waiting[account] += many
    try:
        yield
    finally:
        waiting[account] -= many
        if not waiting[account]:
            del waiting[account]


class Turn:
    """One call may be placed at one moment."""

    def __init__(self, database: Database, connected: Paced, sleep: Sleep) -> None:
        self.account = connected.account
        self._late_s = _LEEWAY_S + _USED_LATE * interval_of(connected).total_seconds()
        if not connected.refuses_excess:
            self._late_s = max(self._late_s, _USED_LATE_WHERE_EXCESS_WAITS_S)
        self._asked = {"account": connected.account, "interval": interval_of(connected)}
        self._database = database
        self._sleep = sleep
        self._due = self._over = 0.0

    async def take(self) -> None:
        """Return a little before it comes."""
        await self._claim()
        await self._sleep_until(self._due - _AHEAD_S)

    async def come(self) -> None:
        """Return at its moment. Where that has passed, another one is taken."""
        for taken in range(1, _MOST_TURNS + 1):
            await self._sleep_until(self._due)
            if time.monotonic() <= self._over or taken == _MOST_TURNS:
                return
            await self._claim()

    async def _claim(self) -> None:
        asked_at = time.monotonic()
        async with self._database.single_statements() as statements:
            left = float((await _TAKE_TURN.one(statements, self._asked))[0])
        # The database has looked at its clock somewhere between the question and the answer.
        looked_at = (asked_at + time.monotonic()) / 2
        self._due = looked_at + left
        self._over = looked_at + max(left, 0.0) + self._late_s

    async def _sleep_until(self, moment: float) -> None:
        left = moment - time.monotonic()
        if left > 0:
            await self._sleep(left)

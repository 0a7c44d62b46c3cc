"""Looks after legs of which nothing is heard: forgotten by their job, left unclear by a crash, or gone silent.

The carrier is asked before anything is decided, and nobody is rung here. A carrier that fails holds up the legs of its
own account only.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import OVER
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database
from rymi_server.foundation.errors import Unavailable
from rymi_server.queue.counts import still_live
from rymi_server.queue.enqueue import NewJob, enqueue_many
from rymi_server.telephony import legs, store
from rymi_server.telephony.carriers.carrier import (
    CarrierRefused,
    ConnectedCarrier,
    ConnectedCarriers,
    LegReport,
    PlacedCall,
    Search,
)
from rymi_server.telephony.dialing import DIAL, dial_job
from rymi_server.telephony.hang_up import enqueue_hang_up
from rymi_server.telephony.lifecycle import waits_in_vain
from rymi_server.telephony.media_tokens import GOOD_FOR
from rymi_server.telephony.models import Leg, LegReason, LegStatus

log = structlog.get_logger(__name__)

SETTLED_AFTER = timedelta(seconds=60)
# Longer than any call; a carrier that could not tell until then is not asked any more.
LEFT_OPEN_FOR = timedelta(hours=6)
UNPRICED_FOR = timedelta(hours=24)
_RINGS_FOR = timedelta(seconds=90)
_TALKS_FOR = timedelta(minutes=15)
_SILENT_FOR = timedelta(seconds=10)
# By then no socket is let in any more, and whatever was to be said before it has been said.
UNBRIDGED_FOR = GOOD_FOR
_PRICED_AFTER, _PRICED_AT_LAST = timedelta(minutes=5), timedelta(hours=1)
_AT_A_TIME = 200
# Accounts, each of which may have us wait.
_SIDE_BY_SIDE = 8
# One failure may be about that call alone.
_MOST_FAILURES = 2
_LONGEST = timedelta(seconds=30)

Look = Callable[[Leg, ConnectedCarrier], Awaitable[None]]


class LegWatch:
    def __init__(self, database: Database, carriers: ConnectedCarriers, clock: Clock) -> None:
        self._database = database
        self._carriers = carriers
        self._clock = clock

    async def look_after(self) -> None:
        """Everything that is due."""
        await self._remind()
        now = self._clock.now()
        async with self._database.transaction() as tx:
            unclear = await store.claimed_without_outcome(tx, now - SETTLED_AFTER, _AT_A_TIME)
            quiet = await store.quiet(
                tx,
                now,
                unanswered=_RINGS_FOR,
                answered=_TALKS_FOR,
                silent=_SILENT_FOR,
                unbridged=UNBRIDGED_FOR,
                each=_AT_A_TIME,
            )
            unpriced = await store.unpriced(tx, now, _PRICED_AFTER, _PRICED_AT_LAST, _AT_A_TIME)
        await self._look_at(unclear, self._settle)
        await self._look_at(quiet, self._ask)
        await self._look_at(unpriced, self._price)

    async def _look_at(self, found: Sequence[Leg], look: Look) -> None:
        """Accounts are asked side by side, each about one leg after the other."""
        accounts: defaultdict[str | None, list[Leg]] = defaultdict(list)
        for leg in found:
            accounts[leg.account or leg.connection_id].append(leg)
        turns = asyncio.Semaphore(_SIDE_BY_SIDE)
        async with asyncio.TaskGroup() as looking:
            for of_account in accounts.values():
                looking.create_task(self._one_by_one(of_account, look, turns))

    async def _one_by_one(self, of_account: Sequence[Leg], look: Look, turns: asyncio.Semaphore) -> None:
        """As long as the carrier answers, and for a while only. What is left is due in the next round as well."""
        failures: Counter[str | None] = Counter()
        async with turns:
            until = self._clock.now() + _LONGEST
            for leg in of_account:
                if self._clock.now() > until:
                    break
                if failures[leg.connection_id] < _MOST_FAILURES and not await self._with_carrier(leg, look):
                    failures[leg.connection_id] += 1

    async def _remind(self) -> None:
        """Legs whose job is gone get another one."""
        before = self._clock.now() - SETTLED_AFTER
        async with self._database.transaction() as tx:
            waiting = await store.waiting_since(tx, before, _AT_A_TIME)
            jobs = await still_live(tx, DIAL.queue, "leg_id", [leg.id for leg in waiting])
            forgotten = [leg for leg in waiting if leg.id not in jobs]
            # The leg's first job is done or gone, so its id is used up.
            retry = [NewJob(dial_job(leg).data, id=f"{leg.id}-{int(before.timestamp())}") for leg in forgotten]
            await enqueue_many(tx, DIAL, retry)

    async def _with_carrier(self, leg: Leg, look: Look) -> bool:
        """Whether the carrier could be asked."""
        async with self._database.transaction() as tx:
            connected = await self._carriers.by_id(tx, leg.connection_id) if leg.connection_id else None
        if connected is None:
            # The connection is gone with all that could be asked.
            await self._give_up(leg)
            return True
        try:
            await look(leg, connected)
        except Unavailable as error:
            log.warning("leg_not_looked_up", leg_id=leg.id, code=error.code)
            if self._is_hopeless(leg):
                await self._give_up(leg)
            # Who refuses this can be asked about the others.
            return isinstance(error, CarrierRefused)
        return True

    def _is_hopeless(self, leg: Leg) -> bool:
        """Whether nobody could tell for so long that nobody is asked any more."""
        if leg.ended_at:
            return self._clock.now() - leg.ended_at >= UNPRICED_FOR
        return self._clock.now() - (leg.claimed_at or leg.created_at) >= LEFT_OPEN_FOR

    async def _settle(self, leg: Leg, connected: ConnectedCarrier) -> None:
        """Dialing began, and nothing more is known: was it placed?

        Of several such legs between the same numbers, the one that was dialed first takes the call that was placed
        first. No carrier's list says with which addresses a call was placed (docs/decisions/0090).
        """
        assert leg.claimed_at is not None
        async with self._database.transaction() as tx:
            others = await store.running_at_carrier(tx, connected.account)
        found = await connected.carrier.find_calls(Search(leg.from_number, leg.to_number, leg.claimed_at, others))
        async with self._database.transaction() as tx:
            taken = await store.known_at_carrier(tx, connected.carrier.name, found)
            mine = [each for each in found if each not in taken]
            if not mine:
                await legs.failed(tx, leg.id, LegReason.OUTCOME_UNKNOWN, self._clock.now())
                return
            await store.placed(tx, leg.id, connected.carrier.name, mine[-1])
            settled = await store.get(tx, leg.id)
        await self._ask(settled, connected)

    async def _ask(self, leg: Leg, connected: ConnectedCarrier) -> None:
        """Take over how the call stands; end it where nobody of ours is in it any more, or comes into it."""
        assert leg.provider_call_id is not None
        report = await connected.carrier.look_up(PlacedCall(leg.provider_call_id, leg.region_url))
        now = self._clock.now()
        async with self._database.transaction() as tx:
            call = await calls.lock(tx, leg.tenant_id, leg.call_id)
            await legs.reported(tx, leg.id, report or _unknown_there(leg), now)
            after = await store.get(tx, leg.id)
            is_alone = after.media_ended_at or waits_in_vain(after, now, UNBRIDGED_FOR)
            if not after.is_over and (call.status in OVER or is_alone):
                await enqueue_hang_up(tx, after)

    async def _price(self, leg: Leg, connected: ConnectedCarrier) -> None:
        """Some carriers know the price only minutes after the call."""
        assert leg.provider_call_id is not None
        report = await connected.carrier.look_up(PlacedCall(leg.provider_call_id, leg.region_url))
        async with self._database.transaction() as tx:
            if report:
                await legs.reported(tx, leg.id, report, self._clock.now())
            await store.change(tx, leg.id, price_looks=leg.price_looks + 1)

    async def _give_up(self, leg: Leg) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            if leg.is_over:
                await store.change(tx, leg.id, price_looks=2)
            elif leg.provider_call_id is None:
                await legs.failed(tx, leg.id, LegReason.OUTCOME_UNKNOWN, now)
            else:
                await legs.reported(tx, leg.id, _unknown_there(leg), now)


def _unknown_there(leg: Leg) -> LegReport:
    """The carrier has no such call, so whatever it was is over."""
    assert leg.provider_call_id is not None
    answered = leg.answered_at is not None
    return LegReport(
        leg.provider_call_id,
        LegStatus.COMPLETED if answered else LegStatus.FAILED,
        reason=None if answered else LegReason.OUTCOME_UNKNOWN,
    )

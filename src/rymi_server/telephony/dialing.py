"""Dials legs: at most one ring a leg, and at least one attempt or a recorded reason.

The job may run twice and may be killed anywhere. So the leg is claimed in a transaction of its own before the carrier
is asked; whoever finds it claimed does not dial. What a crash left unclear is settled by asking the carrier, never by
dialing again; only where certainly nothing rang is the leg let go for another attempt.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call, CallStatus
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import LegId
from rymi_server.foundation.rows import Called
from rymi_server.queue.enqueue import NewJob, adding
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.queue.later import Later
from rymi_server.rooms.dispatch import enqueue_dispatch
from rymi_server.telephony import legs, store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.calling_hours import CallingHours, next_opening, zones_of
from rymi_server.telephony.carriers.carrier import (
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    ConnectedCarrier,
    ConnectedCarriers,
    CredentialsRefused,
    Dial,
    OutcomeUnknown,
)
from rymi_server.telephony.hang_up import enqueue_hang_up
from rymi_server.telephony.models import Leg, LegReason
from rymi_server.telephony.pace import (
    NEAR,
    NotYet,
    Paced,
    Promised,
    Turn,
    Turnstile,
    not_near,
    slow_down,
    without_room,
)
from rymi_server.telephony.store import WhetherToRing
from rymi_server.telephony.terms import DialTerms

log = structlog.get_logger(__name__)

# Run again when the database is away: whoever finds the leg claimed does not dial.
DIAL = JobKind("dial", "dial", attempts=5, backoff=Backoff(first_ms=1_000))
# Many jobs wait for their turn at once; so many of them ask the database at a time. Those who have a turn wait for
# nobody who has none.
_AT_THE_DATABASE, _WITH_A_TURN_THERE = 4, 4

_SHORTEST_WAIT_MS = 100
_FIRST_RETRY = timedelta(seconds=2)
_LONGEST_RETRY = timedelta(seconds=60)
_MOST_ATTEMPTS = 8
_THROTTLED_FOR = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Near:
    """The leg's turn is near, at the turnstile of this account."""

    pace: Paced
    is_awaited: bool = False


@dataclass(frozen=True, slots=True)
class _Claimed:
    leg: Leg
    connected: ConnectedCarrier


def dialing(legs: Sequence[Leg]) -> tuple[Called, ...]:
    """Has `legs`, with which it is written, dialed once the transaction commits. The job's id is the leg's."""
    return adding(DIAL, [dial_job(leg) for leg in legs])


def dial_job(leg: Leg) -> NewJob:
    return NewJob({"leg_id": leg.id, "call_id": leg.call_id, "tenant_id": leg.tenant_id}, id=leg.id)


class Dialer:
    """Works through dial jobs."""

    def __init__(
        self,
        database: Database,
        carriers: ConnectedCarriers,
        addresses: CarrierAddresses,
        clock: Clock,
        *,
        terms: DialTerms | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._carriers = carriers
        self._addresses = addresses
        self._clock = clock
        self._terms = terms or DialTerms()
        self._turnstile = Turnstile(database, sleep)
        self._promised = Promised()
        self._at_the_database = asyncio.Semaphore(_AT_THE_DATABASE)
        self._with_a_turn_there = asyncio.Semaphore(_WITH_A_TURN_THERE)

    async def __call__(self, job: Mapping[str, Any]) -> None:
        """Raise `Later` while it is too early."""
        leg_id = LegId(job["leg_id"])
        async with self._at_the_database:
            decided = await self._near_as_promised(leg_id) or await self._decide(leg_id, None)
        if isinstance(decided, _Near):
            decided = await self._in_turn(leg_id, decided)
        if isinstance(decided, NotYet):
            raise Later(max(_SHORTEST_WAIT_MS, _ms(decided.ask_at - self._clock.now())))
        if isinstance(decided, _Claimed):
            await self._place(decided)

    async def _near_as_promised(self, leg_id: LegId) -> _Near | None:
        """A quick look at a leg that was promised its moment here; None where it has to be decided about.

        Who has a turn is looked at again. This spares the turns that those would take who need none any more.
        """
        pace = self._promised.taken(leg_id)
        if pace is None:
            return None
        async with self._database.single_statements() as statements:
            if not await store.still_waits(statements, leg_id):
                return None
        return None if self._turnstile.wait_for(pace) > NEAR else _Near(pace)

    async def _in_turn(self, leg_id: LegId, near: _Near) -> _Claimed | _Near | NotYet | None:
        """Return at the moment at which the carrier may be asked. The next one's turn begins then, too."""
        async with self._turnstile.turn(near.pace, is_awaited=near.is_awaited) as turn:
            async with self._with_a_turn_there:
                decided = await self._decide(leg_id, turn)
            if isinstance(decided, _Claimed):
                await turn.come()
        return decided

    async def _decide(self, leg_id: LegId, turn: Turn | None) -> _Claimed | _Near | NotYet | None:
        """Claim the leg once it has its turn; None where it is not to be dialed, which is then on record."""
        async with self._database.transaction() as tx:
            found = await store.lock_with_call(tx, leg_id)
            if found is None or found[1].is_over or found[1].claimed_at:
                return None
            call, leg = found
            whether = await store.whether_to_ring(tx, leg_id)
            if reason := _why_not(call, whether):
                await legs.failed(tx, leg_id, reason, self._clock.now())
                return None
            connected = await self._carriers.of(tx, leg.tenant_id)
            if connected is None:
                await legs.failed(tx, leg_id, LegReason.NO_CARRIER, self._clock.now())
                return None
            now = self._clock.now()
            if held := await self._held_until(tx, leg, whether.hours, now):
                return NotYet(held, None)
            if turn is None:
                return await self._near(tx, call, leg, connected, now)
            if turn.account != connected.account:  # Another carrier was connected meanwhile.
                return NotYet(now, None)
            return await self._claim(tx, call, leg, connected, now)

    async def _near(
        self, tx: Transaction, call: Call, leg: Leg, connected: ConnectedCarrier, now: datetime
    ) -> _Near | NotYet:
        # A caller who asked for a human does not wait for a whole batch of others. Where very many are wanted in calls
        # at once, the rest of them stand in line.
        is_awaited = _is_awaited(call) and self._turnstile.wait_for_awaited(connected) <= NEAR
        far = await not_near(tx, connected, leg, now, is_awaited=is_awaited)
        wait = self._turnstile.wait_for(connected)
        if far is None and wait > NEAR and not is_awaited:
            # Fewer got through than it was promised to. Who would wait here for long makes room for other accounts.
            far = NotYet(now + wait / 2, now)
        if far:
            await store.change(tx, leg.id, dial_at=far.promised)
            if connected.concurrent_calls is None:
                # Where there is such a limit, who comes back is asked first whether there is room.
                self._promised.keep(leg.id, connected)
        return far or _Near(connected, is_awaited)

    async def _claim(
        self, tx: Transaction, call: Call, leg: Leg, connected: ConnectedCarrier, now: datetime
    ) -> _Claimed | NotYet:
        if full := await without_room(tx, connected, leg, now, is_awaited=_is_awaited(call)):
            return full
        await store.claim(
            tx,
            leg.id,
            now,
            provider=connected.carrier.name,
            connection_id=connected.connection_id,
            account=connected.account,
        )
        # So that the agent stands in the room by the time that somebody answers, and not long before.
        await enqueue_dispatch(tx, call)
        return _Claimed(leg, connected)

    async def _held_until(
        self, tx: Transaction, leg: Leg, hours: CallingHours | None, now: datetime
    ) -> datetime | None:
        """When the leg may be dialed, if that is not yet."""
        if leg.held_until and leg.held_until > now:
            return leg.held_until
        opening = next_opening(hours, zones_of(leg.to_number), now) if hours else now
        if opening <= now:
            return None
        await store.change(tx, leg.id, held_until=opening, dial_at=None)
        said = f"PSTN leg waits for the calling hours where it rings, until {opening:%Y-%m-%d %H:%M} UTC"
        await record(tx, leg.call_id, Source.TELEPHONY, said, now)
        return opening

    async def _place(self, claimed: _Claimed) -> None:
        leg, connected = claimed.leg, claimed.connected
        try:
            placed_as = await connected.carrier.place_call(self._dial(leg, connected))
        except (CarrierThrottled, CarrierUnreachable) as error:
            await self._let_go(claimed, error)
        except (CarrierRefused, CredentialsRefused) as refused:
            async with self._database.transaction() as tx:
                await legs.failed(tx, leg.id, refused.reason, self._clock.now(), refused.message[:300])
        except OutcomeUnknown:
            log.warning("dial_outcome_unknown", leg_id=leg.id)  # `LegWatch` asks the carrier.
        else:
            await self._placed(leg, connected, placed_as)

    async def _placed(self, leg: Leg, connected: ConnectedCarrier, placed_as: str) -> None:
        async with self._at_the_database, self._database.transaction() as tx:
            call = await calls.lock(tx, leg.tenant_id, leg.call_id)
            await store.placed(tx, leg.id, connected.carrier.name, placed_as)
            await record(tx, leg.call_id, Source.TELEPHONY, "PSTN leg handed to the carrier", self._clock.now())
            if call.status in OVER:
                await enqueue_hang_up(tx, await store.get(tx, leg.id))

    async def _let_go(self, claimed: _Claimed, error: CarrierThrottled | CarrierUnreachable) -> None:
        """Nothing rang. Another attempt is made, unless too many were."""
        leg, now = claimed.leg, self._clock.now()
        throttled = isinstance(error, CarrierThrottled)
        attempts = leg.attempts if throttled else leg.attempts + 1
        wait = _THROTTLED_FOR if throttled else min(_FIRST_RETRY * 2 ** (attempts - 1), _LONGEST_RETRY)
        async with self._database.transaction() as tx:
            if attempts >= _MOST_ATTEMPTS:
                await legs.failed(tx, leg.id, LegReason.CARRIER_UNREACHABLE, now)
                return
            await store.let_go(tx, leg.id, now + wait, attempts)
            if throttled:
                await slow_down(tx, claimed.connected, now)
            elif attempts == 1:
                await record(tx, leg.call_id, Source.TELEPHONY, "The carrier cannot be reached; trying again", now)
        raise Later(_ms(wait))

    def _dial(self, leg: Leg, connected: ConnectedCarrier) -> Dial:
        return Dial(
            leg.id,
            leg.from_number,
            leg.to_number,
            self._addresses.of_leg(connected.carrier.name, connected.connection_id, leg.id),
            self._terms.ring_seconds,
            self._terms.limit_seconds,
            self._terms.detect_machines,
        )


def _is_awaited(call: Call) -> bool:
    """Whether there are people in the call, who wait for whoever is dialed into it."""
    return call.status is CallStatus.IN_PROGRESS


def _why_not(call: Call, whether: WhetherToRing) -> LegReason | None:
    if call.status in OVER:
        return LegReason.CALL_ENDED
    return LegReason.DO_NOT_CALL if whether.is_listed else None


def _ms(length: timedelta) -> int:
    return max(1, int(length.total_seconds() * 1000))

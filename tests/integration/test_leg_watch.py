"""Looking after many accounts: what one of them does not tell holds up nobody else. `telephony/leg_watch.py`."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.support.asking import CLOCK, Customer, new_customer, phone
from tests.support.clocks import SetClock
from tests.support.unasked_carrier import UnaskedCarrier

from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import TenantId, new_prefixed
from rymi_server.telephony.carriers.carrier import (
    CarrierRefused,
    ConnectedCarrier,
    CredentialsRefused,
    LegReport,
    OutcomeUnknown,
    PlacedCall,
    Search,
)
from rymi_server.telephony.leg_watch import LEFT_OPEN_FOR, UNBRIDGED_FOR, UNPRICED_FOR, LegWatch
from rymi_server.telephony.models import LegStatus, telephony_legs

BAD, GOOD = "con_bad", "con_good"
# As many as are looked at for one connection at a time.
MANY = 200
PRICE = Decimal("0.01")

Answer = Callable[[str], Awaitable[LegReport]]


async def over(call: str) -> LegReport:
    return LegReport(call, LegStatus.COMPLETED, bill_seconds=60, cost=PRICE)


async def on_the_line(call: str) -> LegReport:
    return LegReport(call, LegStatus.IN_PROGRESS)


async def dead_secret(call: str) -> LegReport:
    raise CredentialsRefused("The carrier refuses (401).")


@dataclass
class Account(UnaskedCarrier):
    """Tells of calls what `answer` says. Stands in for the phone company, which is outside."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    name: str = "noted"

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        self.asked.append(call.id)
        return await self.answer(call.id)

    async def find_calls(self, search: Search) -> Sequence[str]:
        self.asked.append(search.to_number)
        await self.answer(search.to_number)
        return []


@dataclass
class Accounts:
    """By their connections."""

    accounts: dict[str, Account]

    async def of(self, tx: Transaction, tenant_id: TenantId) -> ConnectedCarrier | None:
        raise NotImplementedError

    async def by_id(self, tx: Transaction, connection_id: str) -> ConnectedCarrier | None:
        return ConnectedCarrier(connection_id, f"noted:{connection_id}", self.accounts[connection_id], 1.0, None)


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http)


@dataclass
class Legs:
    """Legs like one of `acme`'s."""

    database: Database
    like: dict[str, Any]

    async def add(self, connection_id: str, count: int, **values: Any) -> None:
        rows = [
            self.like
            | {"id": new_prefixed("leg"), "connection_id": connection_id, "account": f"noted:{connection_id}"}
            | {"provider": "noted", "provider_call_id": f"{connection_id}-{n}"}
            | values
            for n in range(count)
        ]
        async with self.database.transaction() as tx:
            await tx.execute(telephony_legs.insert(), rows)

    async def unpriced(self, connection_id: str, count: int, ended_at: datetime) -> None:
        ended = {"status": LegStatus.COMPLETED, "bill_duration": 60, "ended_at": ended_at}
        await self.add(connection_id, count, claimed_at=ended_at, heard_at=ended_at, **ended)

    async def silent(self, connection_id: str, count: int, since: datetime) -> None:
        """Their audio has stopped, and the carrier has not said that they are over."""
        talked = {"status": LegStatus.IN_PROGRESS, "claimed_at": since, "answered_at": since, "bridged_at": since}
        await self.add(connection_id, count, heard_at=since, media_ended_at=since, **talked)

    async def unclear(self, connection_id: str, count: int, since: datetime) -> None:
        """Nobody knows whether they ring."""
        await self.add(connection_id, count, status=LegStatus.QUEUED, claimed_at=since, provider_call_id=None)

    async def having(self, connection_id: str, **values: Any) -> int:
        """How many of a connection are so."""
        columns = telephony_legs.c
        so = [columns[name] == value for name, value in values.items()]
        count = sa.select(sa.func.count()).where(columns.connection_id == connection_id, *so)
        async with self.database.transaction() as tx:
            return (await tx.execute(count)).scalar_one()


@pytest.fixture
async def legs(acme: Customer, database: Database) -> Legs:
    body = {"agent_id": await acme.new_agent(), "participants": [phone("+15551234567")]}
    made = (await acme.post("/v1/calls", body)).json()
    async with database.transaction() as tx:
        mine = sa.select(telephony_legs).where(telephony_legs.c.call_id == made["id"])
        row = dict((await tx.execute(mine)).one()._mapping)
    return Legs(database, row)


async def watch(legs: Legs, clock: Clock = CLOCK, **answers: Answer) -> dict[str, Account]:
    """One round over the accounts that answer so."""
    accounts = {f"con_{name}": Account(answer) for name, answer in answers.items()}
    await LegWatch(legs.database, Accounts(accounts), clock).look_after()
    return accounts


async def hung_up(legs: Legs) -> list[str]:
    """Whose calls the carrier is to end."""
    asked = sa.text("select data::jsonb ->> 'leg_id' from bullmq.job where queue = 'carriers' and name = 'hang_up'")
    async with legs.database.transaction() as tx:
        return list((await tx.execute(asked)).scalars())


class TestAnAnsweredPhone:
    """Plivo leaves it on the line when its socket is turned away."""

    async def test_is_hung_up_when_its_audio_cannot_come_any_more(self, legs: Legs) -> None:
        await self._answered(legs, "late", UNBRIDGED_FOR)
        await watch(legs, good=on_the_line)
        assert await hung_up(legs) == ["late"]

    async def test_is_left_alone_while_its_audio_may_still_come(self, legs: Legs) -> None:
        await self._answered(legs, "young", UNBRIDGED_FOR - timedelta(seconds=5))
        await self._answered(legs, "asked-again", UNBRIDGED_FOR, media_offered_at=CLOCK.now() - timedelta(minutes=1))
        await watch(legs, good=on_the_line)
        assert await hung_up(legs) == []

    async def test_is_left_alone_in_its_room_and_where_it_was_handed_over(self, legs: Legs) -> None:
        await self._answered(legs, "talks", timedelta(hours=1), bridged_at=CLOCK.now() - timedelta(hours=1))
        await self._answered(legs, "left", timedelta(hours=1), transferred_to="+15557654321")
        await watch(legs, good=on_the_line)
        assert await hung_up(legs) == []

    @staticmethod
    async def _answered(legs: Legs, name: str, ago: timedelta, **values: Any) -> None:
        at = CLOCK.now() - ago
        answered = {"status": LegStatus.IN_PROGRESS, "claimed_at": at, "answered_at": at, "media_offered_at": at}
        await legs.add(GOOD, 1, **{"id": name, "heard_at": at, "provider_call_id": name, **answered, **values})


class TestAnAccountWhoseSecretIsDead:
    async def test_keeps_no_other_ones_price_waiting(self, legs: Legs) -> None:
        await legs.unpriced(BAD, MANY, CLOCK.now() - timedelta(hours=3))
        await legs.unpriced(GOOD, 3, CLOCK.now() - timedelta(minutes=6))
        await watch(legs, bad=dead_secret, good=over)
        assert await legs.having(GOOD, cost=PRICE) == 3

    async def test_keeps_no_other_ones_phone_on_the_line(self, legs: Legs) -> None:
        await legs.silent(BAD, MANY, CLOCK.now() - timedelta(hours=3))
        await legs.silent(GOOD, 3, CLOCK.now() - timedelta(minutes=1))
        await watch(legs, bad=dead_secret, good=over)
        assert await legs.having(GOOD, status=LegStatus.COMPLETED) == 3

    async def test_keeps_no_other_ones_dialing_unclear(self, legs: Legs) -> None:
        await legs.unclear(BAD, MANY, CLOCK.now() - timedelta(hours=3))
        await legs.unclear(GOOD, 3, CLOCK.now() - timedelta(minutes=2))
        await watch(legs, bad=dead_secret, good=over)
        assert await legs.having(GOOD, reason="outcome_unknown") == 3

    async def test_is_asked_no_more_than_twice_in_a_round(self, legs: Legs) -> None:
        await legs.unpriced(BAD, 5, CLOCK.now() - timedelta(hours=3))
        accounts = await watch(legs, bad=dead_secret)
        assert len(accounts[BAD].asked) == 2

    async def test_is_not_asked_for_a_price_after_a_day(self, legs: Legs) -> None:
        await legs.unpriced(BAD, 1, CLOCK.now() - UNPRICED_FOR)
        asked = [len((await watch(legs, bad=dead_secret))[BAD].asked) for _ in range(2)]
        assert asked == [1, 0]

    async def test_has_its_legs_given_up_when_no_call_can_last_any_more(self, legs: Legs) -> None:
        begun = CLOCK.now() - LEFT_OPEN_FOR
        await legs.unclear(BAD, 1, begun)
        await legs.silent(BAD, 1, begun)
        await legs.silent(GOOD, 1, begun + timedelta(minutes=1))
        await watch(legs, bad=dead_secret, good=dead_secret)
        assert await legs.having(BAD, status=LegStatus.FAILED, reason="outcome_unknown") == 1
        assert await legs.having(BAD, status=LegStatus.COMPLETED) == 1
        assert await legs.having(GOOD, status=LegStatus.IN_PROGRESS) == 1


class TestACarrier:
    async def test_that_hangs_holds_up_its_own_account_only(self, legs: Legs) -> None:
        good_was_asked = asyncio.Event()

        async def after_the_good_one(call: str) -> LegReport:
            await good_was_asked.wait()
            raise OutcomeUnknown("The carrier did not answer (ReadTimeout).")

        async def tell(call: str) -> LegReport:
            good_was_asked.set()
            return await over(call)

        await legs.silent(BAD, 2, CLOCK.now() - timedelta(minutes=2))
        await legs.silent(GOOD, 1, CLOCK.now() - timedelta(minutes=1))
        async with asyncio.timeout(20):
            await watch(legs, bad=after_the_good_one, good=tell)
        assert await legs.having(GOOD, status=LegStatus.COMPLETED) == 1

    async def test_that_takes_long_is_gone_on_with_in_the_next_round(self, legs: Legs) -> None:
        clock = SetClock.from_now()

        async def slowly(call: str) -> LegReport:
            clock.pass_by(seconds=9)
            return await over(call)

        await legs.silent(BAD, 6, clock.now() - timedelta(minutes=1))
        asked = [(await watch(legs, clock, bad=slowly))[BAD].asked for _ in range(2)]
        assert [len(each) for each in asked] == [4, 2]
        assert max(Counter(asked[0] + asked[1]).values()) == 1

    @pytest.mark.parametrize(("error", "count"), [(OutcomeUnknown, 1), (CarrierRefused, 3)])
    async def test_that_does_not_tell_of_some_calls_is_asked_about_the_others(
        self, legs: Legs, error: type[OutcomeUnknown | CarrierRefused], count: int
    ) -> None:
        async def partly(call: str) -> LegReport:
            if call.endswith("-odd"):
                raise error("not of this one")
            return await over(call)

        for n in range(count):
            await legs.add(
                BAD,
                1,
                status=LegStatus.RINGING,
                heard_at=CLOCK.now() - timedelta(hours=1),
                provider_call_id=f"{n}-odd",
            )
        await legs.silent(BAD, 2, CLOCK.now() - timedelta(minutes=1))
        await watch(legs, bad=partly)
        assert await legs.having(BAD, status=LegStatus.COMPLETED) == 2

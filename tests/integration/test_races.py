"""Two at a time: nobody spends the same cent, and nobody slips past a limit."""

import asyncio
from decimal import Decimal

import httpx
from tests.support.asking import CLOCK, Customer, new_customer, web
from tests.support.calling import count_calls, credit_of

from rymi_server.credits import ledger
from rymi_server.foundation.database import Database


class TestTheLastCent:
    async def test_is_spent_once(self, database: Database, http: httpx.AsyncClient) -> None:
        customer = await new_customer(database, http, credit="0.125")
        answers = await _create_at_once(customer, 20)
        assert sorted(answers) == [201] * 5 + [402] * 15
        account = await credit_of(database, customer)
        assert (account.held, account.available) == (Decimal("0.125"), Decimal(0))
        assert await count_calls(database, customer) == 5

    async def test_comes_back_once_the_call_is_settled(self, database: Database, http: httpx.AsyncClient) -> None:
        customer = await new_customer(database, http, credit="0.025")
        body = {"agent_id": await customer.new_agent(), "participants": [web()]}
        call = (await customer.post("/v1/calls", body)).json()["id"]
        async with database.transaction() as tx:
            await ledger.settle(tx, customer.tenant.id, call, Decimal(0), CLOCK.now())
        assert (await customer.post("/v1/calls", body)).status_code == 201


class TestSettling:
    async def test_charges_once_however_often_and_from_wherever_it_is_done(
        self, database: Database, http: httpx.AsyncClient
    ) -> None:
        customer = await new_customer(database, http, credit="1")
        body = {"agent_id": await customer.new_agent(), "participants": [web()]}
        call = (await customer.post("/v1/calls", body)).json()["id"]

        async def settle() -> None:
            async with database.transaction() as tx:
                await ledger.settle(tx, customer.tenant.id, call, Decimal("0.05"), CLOCK.now())

        await asyncio.gather(*(settle() for _ in range(8)))
        account = await credit_of(database, customer)
        assert (account.balance, account.held) == (Decimal("0.95"), Decimal(0))
        async with database.transaction() as tx:
            entries = await ledger.entries(tx, customer.tenant.id, 10)
        assert [(entry.kind, entry.amount, entry.balance_after) for entry in entries] == [
            ("settlement", Decimal("-0.05"), Decimal("0.95")),
            ("grant", Decimal(1), Decimal(1)),
        ]


class TestThePlan:
    async def test_is_kept_to_however_many_ask_at_a_time(self, database: Database, http: httpx.AsyncClient) -> None:
        customer = await new_customer(database, http, plan="go", credit="100")
        answers = await _create_at_once(customer, 25)
        assert sorted(answers) == [201] * 10 + [429] * 15
        assert await count_calls(database, customer) == 10

    async def test_limits_requests_a_minute(self, database: Database, http: httpx.AsyncClient) -> None:
        customer = await new_customer(database, http, plan="free")
        answers = await asyncio.gather(*(customer.get("/v1/calls") for _ in range(140)))
        refused = [answer for answer in answers if answer.status_code == 429]
        # The minute may turn while we ask, which lets as many through again.
        assert len(answers) - len(refused) in range(65, 131)
        assert refused[0].json()["code"] == "rate_limited"
        assert 0 < int(refused[0].headers["retry-after"]) <= 60


async def _create_at_once(customer: Customer, how_many: int) -> list[int]:
    body = {"agent_id": await customer.new_agent(), "participants": [web()]}
    answers = await asyncio.gather(*(customer.post("/v1/calls", body) for _ in range(how_many)))
    return [answer.status_code for answer in answers]

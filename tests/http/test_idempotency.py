"""The `Idempotency-Key` header."""

import asyncio
from typing import Any

import pytest
from tests.support.asking import Customer, new_customer, phone, web
from tests.support.calling import count_calls, jobs_in

from rymi_server.foundation.database import Database

KEY = {"Idempotency-Key": "order-4711"}


@pytest.fixture
async def body(acme: Customer) -> dict[str, Any]:
    return {"agent_id": await acme.new_agent(), "participants": [phone()]}


class TestTheSameRequestAgain:
    async def test_gets_the_same_answer_and_does_nothing(
        self, acme: Customer, database: Database, body: dict[str, Any]
    ) -> None:
        first = await acme.post("/v1/calls", body, headers=KEY)
        again = await acme.post("/v1/calls", body, headers=KEY)
        assert (again.status_code, again.json()) == (first.status_code, first.json())
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert await count_calls(database, acme) == 1
        assert len(await jobs_in(database, "dial")) == 1

    async def test_may_lay_out_its_json_otherwise(self, acme: Customer, body: dict[str, Any]) -> None:
        first = await acme.post("/v1/calls", body, headers=KEY)
        again = await acme.post("/v1/calls", dict(reversed(body.items())), headers=KEY)
        assert again.json() == first.json()

    async def test_is_refused_when_it_asks_for_something_else(self, acme: Customer, body: dict[str, Any]) -> None:
        await acme.post("/v1/calls", body, headers=KEY)
        answer = await acme.post("/v1/calls", {**body, "participants": [web()]}, headers=KEY)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")

    async def test_is_refused_at_another_path(self, acme: Customer, body: dict[str, Any]) -> None:
        await acme.post("/v1/calls", body, headers=KEY)
        answer = await acme.post("/v1/agents", {"name": "Aria"}, headers=KEY)
        assert answer.status_code == 422

    async def test_creates_once_however_many_ask_at_a_time(
        self, acme: Customer, database: Database, body: dict[str, Any]
    ) -> None:
        answers = await asyncio.gather(*(acme.post("/v1/calls", body, headers=KEY) for _ in range(8)))
        statuses = {answer.status_code for answer in answers}
        assert 202 in statuses
        assert statuses <= {202, 409}
        assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency_in_progress"}
        assert await count_calls(database, acme) == 1

    async def test_is_another_request_for_another_tenant(
        self, acme: Customer, rival: Customer, body: dict[str, Any]
    ) -> None:
        await acme.post("/v1/calls", body, headers=KEY)
        other = {"agent_id": await rival.new_agent(), "participants": [phone()]}
        assert (await rival.post("/v1/calls", other, headers=KEY)).status_code == 202

    async def test_is_tried_again_after_a_refusal(self, acme: Customer, database: Database) -> None:
        poor = await new_customer(database, acme.http, name="Poor", credit="0.01")
        body = {"agent_id": await poor.new_agent(), "participants": [web()]}
        assert (await poor.post("/v1/calls", body, headers=KEY)).status_code == 402
        assert (await poor.post("/v1/calls", body, headers=KEY)).status_code == 402

    @pytest.mark.parametrize("key", ["", "x" * 256, "caf\u00e9"])
    async def test_needs_a_key_that_can_be_stored(self, acme: Customer, body: dict[str, Any], key: str) -> None:
        answer = await acme.post("/v1/calls", body, headers={"Idempotency-Key": key.encode("latin-1")})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    async def test_does_not_keep_the_answer_readable(
        self, acme: Customer, database: Database, body: dict[str, Any]
    ) -> None:
        answer = await acme.post("/v1/calls", {**body, "participants": [web()]}, headers=KEY)
        token = answer.json()["participants"][0]["access"]["token"]
        async with database.transaction() as tx:
            (stored,) = (await tx.exec_driver_sql("select answer from idempotency_keys")).scalars()
        assert token.encode() not in bytes(stored)

"""`POST /v1/calls/batch` and its progress."""

import tracemalloc
from decimal import Decimal
from typing import Any

import pytest
from tests.support.asking import Customer, new_customer
from tests.support.calling import count_calls, held_by, jobs_in

from rymi_server.calls import store
from rymi_server.foundation.database import Database

CALLER_ID = "+15559876543"
LARGEST, TOO_LARGE = ({"x": "y" * (65_536 - len('{"x":""}') + more)} for more in (0, 1))


def numbers(how_many: int) -> list[str]:
    return [f"+1555{index:07d}" for index in range(1, how_many + 1)]


class TestABatch:
    async def test_is_a_call_for_each_recipient(self, acme: Customer, database: Database) -> None:
        answer = await _batch(acme, to=numbers(3), metadata={"campaign": "spring"}, batch_id="batch_1710")
        assert answer.status_code == 202, answer.text
        batch = answer.json()
        assert (batch["batch_id"], batch["queued"], batch["status"]) == ("batch_1710", 3, "queued")
        assert len({call["id"] for call in batch["calls"]}) == 3
        assert [call["room_name"] for call in batch["calls"]] == [f"call_{call['id']}" for call in batch["calls"]]
        assert [p["identity"] for p in batch["participants"]] == numbers(3)
        assert sorted(await jobs_in(database, "dial")) == sorted(p["job_id"] for p in batch["participants"])
        listed = (await acme.get("/v1/calls?batch_id=batch_1710")).json()
        assert listed["total"] == 3
        assert listed["calls"][0]["metadata"] == {"campaign": "spring", "batch_id": "batch_1710"}
        assert listed["calls"][0]["participant_count"] == 1

    async def test_holds_credit_for_every_call(self, acme: Customer, database: Database) -> None:
        await _batch(acme, to=numbers(4))
        assert await held_by(database, acme) == Decimal("0.1")

    async def test_takes_500_recipients(self, acme: Customer, database: Database) -> None:
        rich = await new_customer(database, acme.http, name="Rich", credit="100")
        answer = await _batch(rich, to=numbers(500))
        assert (answer.status_code, answer.json()["queued"]) == (202, 500)
        assert len(await jobs_in(database, "dial")) == 500
        assert (await rich.get("/v1/calls?limit=1")).json()["total"] == 500

    async def test_of_500_weighs_no_more_than_what_was_sent(self, acme: Customer, database: Database) -> None:
        rich = await new_customer(database, acme.http, name="Rich", credit="100")
        agent_id = await rich.new_agent(playbook={"notes": "x" * 250_000})
        large = {"metadata": LARGEST, "variables": LARGEST, "post_call": {"summary": {"prompt": "x" * 20_000}}}
        tracemalloc.start()
        try:
            answer = await _batch(rich, agent_id=agent_id, to=numbers(500), **large)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert answer.status_code == 202, answer.text
        assert peak_bytes < 30_000_000
        for call in (answer.json()["calls"][0], answer.json()["calls"][-1]):
            async with database.transaction() as tx:
                agent = await store.frozen_agent(tx, call["id"])
                kept = await store.get(tx, rich.tenant.id, call["id"])
            assert agent["playbook"] == {"notes": "x" * 250_000}
            assert kept.metadata == {**LARGEST, "batch_id": answer.json()["batch_id"]}
            assert kept.variables == LARGEST
            assert kept.post_call["summary"] == large["post_call"]["summary"]

    async def test_keeps_for_each_recipient_exactly_what_was_said_of_it(self, acme: Customer) -> None:
        said = ({"vip": True}, {"vip": 1}, {"vip": 1.0}, {})
        recipients = [{"to": to, "metadata": each} for to, each in zip(numbers(4), said, strict=True)]
        batch = (await _batch(acme, recipients=recipients)).json()
        details = [(await acme.get(f"/v1/calls/{call['id']}")).json() for call in batch["calls"]]
        assert [repr(detail["participants"][0]["metadata"]) for detail in details] == [repr(each) for each in said]

    async def test_takes_recipients_with_their_own_fields(self, acme: Customer) -> None:
        recipients = [
            {"to": "+15551110001", "metadata": {"name": "Ann"}},
            {"identity": "+15551110002", "from_number": "+15550001111"},
            {"phone": "+15551110003"},
            {"phone_number": "+15551110004"},
        ]
        batch = (await _batch(acme, recipients=recipients)).json()
        details = [(await acme.get(f"/v1/calls/{call['id']}")).json() for call in batch["calls"]]
        people = [detail["participants"][0] for detail in details]
        assert [p["identity"] for p in people] == [f"+1555111000{n}" for n in (1, 2, 3, 4)]
        assert [p["telephony_leg"]["from_number"] for p in people] == [CALLER_ID, "+15550001111", CALLER_ID, CALLER_ID]
        assert people[0]["metadata"] == {"name": "Ann"}

    async def test_is_one_call_as_a_conference(self, acme: Customer) -> None:
        batch = (await _batch(acme, to=numbers(3), conference=True)).json()
        assert len(batch["calls"]) == 1
        assert batch["queued"] == 3
        assert batch["id"] == batch["calls"][0]["id"]
        assert batch["agent"]["name"] == "Aria"
        assert (await acme.get("/v1/calls")).json()["calls"][0]["participant_count"] == 3

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"to": []},
            {"to": numbers(501)},
            {"to": ["12"]},
            {"to": ["+15551110001", "+1 555 111 0001"]},
            {"to": numbers(1), "recipients": [{"to": "+15551110001"}]},
            {"recipients": [{}]},
            {"recipients": [{"to": "+15551110001", "phone": "+15551110002"}]},
            {"to": numbers(1), "batch_id": ""},
            *({"to": numbers(1), name: TOO_LARGE} for name in ("metadata", "variables")),
            {"to": numbers(1), "post_call": {"structured_extraction": {"json_schema": TOO_LARGE}}},
            {"recipients": [{"to": "+15551110001", "metadata": TOO_LARGE}]},
        ],
    )
    async def test_refuses_what_it_cannot_call(self, acme: Customer, database: Database, body: dict[str, Any]) -> None:
        answer = await _batch(acme, **body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert await count_calls(database, acme) == 0

    async def test_is_refused_whole_for_one_listed_number(self, acme: Customer, database: Database) -> None:
        await acme.post("/v1/dnc", {"phone_number": numbers(3)[1]})
        answer = await _batch(acme, to=numbers(3))
        assert (answer.status_code, answer.json()["numbers"]) == (409, [numbers(3)[1]])
        assert await count_calls(database, acme) == 0

    async def test_leaves_listed_numbers_out_when_asked_to(self, acme: Customer, database: Database) -> None:
        await acme.post("/v1/dnc", {"phone_number": numbers(3)[1]})
        answer = await _batch(acme, to=numbers(3), skip_dnc=True)
        assert answer.status_code == 202
        assert (answer.json()["queued"], answer.json()["skipped"]) == (2, [numbers(3)[1]])
        assert await count_calls(database, acme) == 2

    async def test_is_refused_whole_when_the_credit_is_short(self, acme: Customer, database: Database) -> None:
        poor = await new_customer(database, acme.http, name="Poor", credit="0.06")
        answer = await _batch(poor, to=numbers(3))
        assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_credits")
        assert await count_calls(database, poor) == 0
        assert await jobs_in(database, "dial") == []


class TestProgress:
    async def test_counts_by_status_and_reason(self, acme: Customer) -> None:
        batch = (await _batch(acme, to=numbers(3))).json()
        await acme.post(f"/v1/calls/{batch['calls'][0]['id']}/end")
        progress = (await acme.get(f"/v1/calls/batch/{batch['batch_id']}")).json()
        assert progress == {
            "batch_id": batch["batch_id"],
            "status": "running",
            "total": 3,
            "done": 1,
            "by_status": {"completed": 1, "queued": 2},
            "by_reason": {"ended_by_api": 1},
        }

    async def test_is_404_for_another_tenant(self, acme: Customer, rival: Customer) -> None:
        batch = (await _batch(acme, to=numbers(1))).json()
        assert (await rival.get(f"/v1/calls/batch/{batch['batch_id']}")).status_code == 404


async def _batch(customer: Customer, **body: Any) -> Any:
    return await customer.post(
        "/v1/calls/batch",
        {"agent_id": body.get("agent_id") or await customer.new_agent(), "from_number": CALLER_ID, **body},
    )

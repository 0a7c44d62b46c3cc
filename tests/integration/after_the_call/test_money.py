"""What an account is told of its money, and of its batches."""

from pathlib import Path

from tests.integration.after_the_call.looking import has, told_of
from tests.support.after_calls import (
    ended_call,
    finished,
    receiver,
    webhook,
    working,
)
from tests.support.asking import Customer
from tests.support.waiting import until

from rymi_server.foundation.database import Database


class TestMoney:
    async def test_that_runs_out_is_told_once(self, own_database: Database, acme: Customer, tmp_path: Path) -> None:
        async with receiver() as hook, working(own_database, tmp_path, low_balance_usd="9.999"):
            await webhook(acme, hook.url, "billing.low_balance", "call.completed")
            for _ in range(2):
                await finished(own_database, await ended_call(own_database, acme))

            async def both() -> bool:
                return hook.events.count("call.completed") == 2

            await until("both calls to be told", both)
        assert hook.events.count("billing.low_balance") == 1

    async def test_is_told_below_each_threshold_of_the_account(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        alerts = {"thresholds_usd": [9.95, 9.8], "low_balance_pct": 99}
        assert (await acme.ask("PUT", "/v1/billing/alerts", json=alerts)).json() == {"ok": True}
        async with receiver() as hook, working(own_database, tmp_path, low_balance_usd="1000"):
            await webhook(acme, hook.url, "billing.low_balance")
            for told in (1, 2, 3):
                await finished(own_database, await ended_call(own_database, acme))
                await until("it to be told", told_of(hook, told))
        assert [each.json["data"] for each in hook.got] == [
            {"balance_usd": 9.925, "threshold_usd": 9.95},
            {"balance_usd": 9.85, "threshold_usd": 9.9},
            {"balance_usd": 9.775, "threshold_usd": 9.8},
        ]

    async def test_batches_are_told_when_the_last_of_their_calls_is_over(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        body = {"agent_id": await acme.new_agent(), "to": ["+15550001111", "+15550001112"]}
        async with receiver() as hook, working(own_database, tmp_path):
            await webhook(acme, hook.url, "batch.completed")
            batch = (await acme.post("/v1/calls/batch", {**body, "from_number": "+15550002222"})).json()
            await until("the batch to be told", has(hook, "batch.completed"), seconds=60)
        (told,) = hook.got
        assert told.json["data"]["batch_id"] == batch["batch_id"]
        assert told.json["data"]["by_status"] == {"failed": 2}

    async def test_batches_are_told_again_when_they_have_grown(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        batch = {"agent_id": await acme.new_agent(), "from_number": "+15550002222", "batch_id": "spring"}
        async with receiver() as hook, working(own_database, tmp_path):
            await webhook(acme, hook.url, "batch.completed")
            for times, numbers in ((1, ["+15550001111", "+15550001112"]), (2, ["+15550001113"])):
                assert (await acme.post("/v1/calls/batch", {**batch, "to": numbers})).status_code == 202
                await until("the batch to be told", told_of(hook, times), seconds=60)
        assert [each.json["data"]["total"] for each in hook.got] == [2, 3]
        assert len({each.json["id"] for each in hook.got}) == 2

"""Deliveries by a real worker: signed, in order, once, and each tenant its own."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa
from tests.integration.webhooks.delivering import EVENT, Hand, happen, log_of, names, received
from tests.support.after_calls import Received, answering, receiver, webhook, working
from tests.support.asking import CLOCK, Customer, new_customer
from tests.support.waiting import until

from rymi_server.foundation.database import Database
from rymi_server.webhooks.models import webhook_deliveries

SECRET = "a-secret-of-enough-characters"


class TestADelivery:
    async def test_is_signed_and_says_what_it_is(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        async with receiver() as server:
            webhook_id = await webhook(acme, server.url, EVENT, secret=SECRET)
            await happen(own_database, acme, "one")
            await hand.deliver(webhook_id)
        (got,) = server.got
        timestamp = got.headers["x-rymi-timestamp"]
        expected = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + got.body, hashlib.sha256).hexdigest()
        assert got.headers["x-rymi-signature"] == expected
        assert abs(int(timestamp) - time.time() * 1000) < 300_000
        assert got.headers["content-type"] == "application/json"
        assert got.json["type"] == got.json["event"] == got.event == EVENT
        assert got.json["id"] == "evt_a-call_one"
        (delivery,) = await log_of(acme, webhook_id)
        assert (delivery["status"], delivery["attempts"]) == ("delivered", 1)
        assert json.loads(delivery["body"]) == got.json
        assert delivery["log"][0] | {"begun_at": "", "took_ms": 0} == {
            "number": 1,
            "begun_at": "",
            "took_ms": 0,
            "status_code": 200,
            "reply": "ok",
            "error": None,
        }

    async def test_is_made_once_however_often_it_is_told(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async with receiver() as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            for _ in range(3):
                await happen(own_database, acme, "one")
                await hand.deliver(webhook_id)
        assert names(server) == ["one"]

    async def test_is_not_made_to_who_did_not_ask_for_it(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async with receiver() as server:
            webhook_id = await webhook(acme, server.url, "call.failed")
            await happen(own_database, acme, "one")
            await hand.deliver(webhook_id)
        assert server.got == []

    async def test_is_tried_eight_times_over_a_day_and_then_given_up(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        begun = hand.clock.now()
        async with receiver(answering(500, b"broken")) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            for _ in range(100):
                await hand.deliver(webhook_id)
                (delivery,) = await log_of(acme, webhook_id)
                if delivery["status"] != "pending":
                    break
                hand.clock.pass_by(minutes=20)
        assert (delivery["status"], delivery["reason"]) == ("failed", "last_attempt_failed")
        assert [each["status_code"] for each in delivery["log"]] == [500] * 8
        assert [each["reply"] for each in delivery["log"]] == ["broken"] * 8
        assert timedelta(hours=24) <= hand.clock.now() - begun <= timedelta(hours=30)

    async def test_can_be_made_again(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        async with receiver() as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            await hand.deliver(webhook_id)
            (delivery,) = await log_of(acme, webhook_id)
            answer = await acme.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")
            assert answer.status_code == 202
            refused = await acme.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")
            assert (refused.status_code, refused.json()["code"]) == (409, "delivery_not_finished")
            hand.clock.pass_by(seconds=1)
            await hand.deliver(webhook_id)
        assert names(server) == ["one", "one"]
        assert server.got[0].body == server.got[1].body
        assert len((await log_of(acme, webhook_id))[0]["log"]) == 2

    async def test_of_days_ago_is_tried_as_often_as_any_when_it_is_made_again(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async with receiver(answering(500)) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            long_ago = CLOCK.now() - timedelta(days=5)
            async with own_database.transaction() as tx:
                await tx.execute(webhook_deliveries.update().values(status="failed", created_at=long_ago))
            (delivery,) = await log_of(acme, webhook_id)
            assert (await acme.post(f"/v1/webhooks/deliveries/{delivery['id']}/redeliver")).status_code == 202
            hand.clock.pass_by(seconds=1)
            await hand.deliver(webhook_id)
            await hand.sweep()
            assert [each["status"] for each in await log_of(acme, webhook_id)] == ["pending"]
            server.behave = answering(200)
            hand.clock.pass_by(minutes=1)
            await hand.deliver(webhook_id)
        assert [each["status"] for each in await log_of(acme, webhook_id)] == ["delivered"]

    async def test_of_a_test_is_a_ping(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        async with receiver() as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            delivery_id = (await acme.post(f"/v1/webhooks/{webhook_id}/test")).json()["delivery_id"]
            hand.clock.pass_by(seconds=1)
            await hand.deliver(webhook_id)
        assert server.events == ["ping"]
        delivery = (await acme.get(f"/v1/webhooks/deliveries/{delivery_id}")).json()
        assert delivery["status"] == "delivered"

    async def test_ends_with_its_endpoint(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        async def delete_it(_: Received) -> bytes:
            await acme.ask("DELETE", f"/v1/webhooks/{webhook_id}")
            return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

        async with receiver(delete_it) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one", "two")
            await hand.deliver(webhook_id)
        assert names(server) == ["one"]


class TestOrder:
    async def test_of_one_call_is_kept_also_when_its_first_news_fails(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        answers = iter([answering(503), answering(200), answering(200), answering(200)])

        async def behave(got: Received) -> bytes | None:
            return await next(answers)(got)

        async with receiver(behave) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one", "two", "three")
            await hand.deliver(webhook_id)
            assert names(server) == ["one"]
            hand.clock.pass_by(seconds=31)
            await hand.deliver(webhook_id)
        assert names(server) == ["one", "one", "two", "three"]

    async def test_of_one_call_does_not_hold_up_another(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async def behave(got: Received) -> bytes | None:
            return await answering(500 if got.json["data"]["name"] == "bad" else 200)(got)

        async with receiver(behave) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "bad", "after", subject="a-call")
            await happen(own_database, acme, "good", subject="another")
            await hand.deliver(webhook_id)
        assert names(server) == ["bad", "good"]


class TestAWorker:
    async def test_is_not_held_up_by_endpoints_that_hang(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        async def hang(_: Received) -> bytes | None:
            await asyncio.sleep(60)
            return None

        async with receiver(hang) as dead, receiver() as well, working(own_database, tmp_path):
            dead_id = await webhook(acme, dead.url, EVENT)
            await webhook(acme, well.url, EVENT)
            for number in range(30):
                await happen(own_database, acme, "one", "two", subject=f"call-{number}")
            await until("the one that is well", received(well, 60), seconds=60)
            # It is asked for four things at a time, ten seconds each, and then left alone.
            assert 1 <= len(dead.got) <= 8
        assert len(await log_of(acme, dead_id)) == 60

    async def test_goes_on_with_others_as_soon_as_their_tenant_has_room_again(
        self, own_database: Database, acme: Customer, tmp_path: Path
    ) -> None:
        let_go = asyncio.Event()

        async def wait(_: Received) -> bytes | None:
            await let_go.wait()
            return None

        async with receiver(wait) as slow, receiver() as last, working(own_database, tmp_path):
            for _ in range(3):
                await webhook(acme, slow.url, EVENT)
            for number in range(4):
                await happen(own_database, acme, "one", subject=f"call-{number}")
            await until("twelve that wait for an answer", received(slow, 12), seconds=30)
            last_id = await webhook(acme, last.url, EVENT)
            await happen(own_database, acme, "late", subject="another")
            await until("a job that finds no room", _has_tried(own_database, last_id))
            assert last.got == []
            let_go.set()
            # Before whoever makes up for lost jobs would notice.
            await until("the one that had no room", received(last, 1), seconds=4)

    async def test_makes_up_for_jobs_that_were_lost(
        self, own_database: Database, acme: Customer, hand: Hand, tmp_path: Path
    ) -> None:
        async with receiver() as server:
            await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            async with own_database.transaction() as tx:
                await tx.execute(sa.text("delete from bullmq.job"))
            hand.clock.pass_by(seconds=10)
            await hand.sweep()
            async with working(own_database, tmp_path):
                await until("the delivery", received(server, 1))

    async def test_that_was_killed_in_mid_delivery_is_stood_in_for(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async with receiver() as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            claimed = {"claim": "somebody", "claimed_until": hand.clock.now() + timedelta(seconds=30)}
            async with own_database.transaction() as tx:
                await tx.execute(webhook_deliveries.update().values(**claimed))
            await hand.deliver(webhook_id)
            assert server.got == []
            hand.clock.pass_by(seconds=31)
            await hand.deliver(webhook_id)
        assert names(server) == ["one"]


class TestOtherTenants:
    async def test_see_no_deliveries(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        rival = await new_customer(own_database, acme.http, name="Rival")
        webhook_id = await webhook(acme, "http://127.0.0.1:1/", EVENT)
        await happen(own_database, acme, "one")
        (delivery,) = await log_of(acme, webhook_id)
        for path in (f"/v1/webhooks/{webhook_id}/deliveries", f"/v1/webhooks/deliveries/{delivery['id']}"):
            assert (await rival.get(path)).status_code == 404

    async def test_cannot_have_endpoints_without_end(self, acme: Customer, http: httpx.AsyncClient) -> None:
        for _ in range(25):
            await webhook(acme, "http://127.0.0.1:1/", EVENT)
        answer = await acme.post("/v1/webhooks", {"url": "http://127.0.0.1:1/", "events": [EVENT]})
        assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def _has_tried(database: Database, endpoint_id: str) -> Callable[[], Awaitable[bool]]:
    done = sa.text("select 1 from bullmq.job where state = 'completed' and data::jsonb->>'endpoint_id' = :endpoint")

    async def look() -> bool:
        async with database.transaction() as tx:
            return (await tx.execute(done, {"endpoint": endpoint_id})).first() is not None

    return look

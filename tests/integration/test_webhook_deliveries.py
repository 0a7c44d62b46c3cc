"""Deliveries by a real worker to receivers that accept, fail, hang, lie and send elsewhere."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.support.after_calls import Received, Receiver, answering, receiver, webhook, working
from tests.support.asking import CLOCK, Customer, client_for, new_customer, settings_for_tests
from tests.support.clocks import SetClock
from tests.support.waiting import until

from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import Seal
from rymi_server.webhooks.connecting import Sender
from rymi_server.webhooks.delivering import Deliverer
from rymi_server.webhooks.models import News, webhook_deliveries
from rymi_server.webhooks.telling import tell

SECRET = "a-secret-of-enough-characters"
EVENT = "call.completed"


@pytest.fixture
async def acme(own_database: Database) -> AsyncIterator[Customer]:
    async with client_for(own_database, allow_private_webhooks=True) as http:
        yield await new_customer(own_database, http)


async def happen(database: Database, customer: Customer, *names: str, subject: str = "a-call") -> None:
    """Things that the customer's endpoints are to be told of, in order."""
    now = CLOCK.now()
    news = [News(EVENT, f"evt_{subject}_{name}", subject, now, {"name": name}) for name in names]
    async with database.transaction() as tx:
        await tell(tx, customer.tenant.id, news, now)


async def log_of(customer: Customer, webhook_id: str) -> list[dict[str, Any]]:
    """Its deliveries, oldest first, each with its attempts."""
    listed = (await customer.get(f"/v1/webhooks/{webhook_id}/deliveries?limit=200")).json()["deliveries"]
    return [(await customer.get(f"/v1/webhooks/deliveries/{each['id']}")).json() for each in reversed(listed)]


def names(server: Receiver) -> list[str]:
    return [each.json["data"]["name"] for each in server.got]


def received(server: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(server.got) >= count

    return enough


def tried(customer: Customer, webhook_id: str, attempts: int) -> Callable[[], Awaitable[bool]]:
    async def often_enough() -> bool:
        log = await log_of(customer, webhook_id)
        return bool(log) and all(len(each["log"]) >= attempts for each in log)

    return often_enough


class Hand:
    """Delivers by hand, on a clock that goes where the test puts it."""

    def __init__(
        self, database: Database, *, allow_private: bool = True, seconds: float = 2.0, sends_mails: bool = False
    ) -> None:
        self.clock = SetClock.from_now()
        # What happens in the test is due by this clock at once.
        self.clock.pass_by(minutes=2)
        self._sender = Sender(allow_private=allow_private, seconds=seconds)
        seal = Seal.from_text(settings_for_tests().required_secret())
        self._deliver = Deliverer(database, self._sender, seal, self.clock, sends_mails=sends_mails)
        self.database = database

    async def deliver(self, webhook_id: str) -> None:
        await self._deliver({"endpoint_id": webhook_id, "tenant_id": "unused"})

    async def sweep(self) -> None:
        async with self.database.transaction() as tx:
            await self._deliver.sweep(tx)

    async def close(self) -> None:
        await self._sender.close()


@pytest.fixture
async def hand(own_database: Database) -> AsyncIterator[Hand]:
    hand = Hand(own_database)
    yield hand
    await hand.close()


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


class TestBadReceivers:
    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
            b"\0" * 100_000,
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 50\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"y" * 200_000 + b"\r\n\r\n",
            None,
        ],
        ids=["redirect", "redirect-here", "404", "half", "ssh", "nul", "two-lengths", "long-headers", "hang-up"],
    )
    async def test_are_noted_and_tried_again(
        self, own_database: Database, acme: Customer, hand: Hand, answer: bytes | None
    ) -> None:
        async def behave(_: Received) -> bytes | None:
            return answer

        async with receiver(behave) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            await hand.deliver(webhook_id)
        (delivery,) = await log_of(acme, webhook_id)
        assert delivery["status"] == "pending"
        assert delivery["attempts"] == 1
        assert delivery["next_attempt_at"]
        assert len(server.got) == 1
        assert delivery["log"][0]["error"] or delivery["log"][0]["status_code"] not in range(200, 300)

    async def test_that_answer_too_much_are_read_for_a_while_only(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async with receiver(answering(200, "é\0".encode() * 2_000_000)) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            await hand.deliver(webhook_id)
        (delivery,) = await log_of(acme, webhook_id)
        assert delivery["status"] == "delivered"
        assert len(delivery["log"][0]["reply"]) <= 4_096
        assert "\0" not in delivery["log"][0]["reply"]

    async def test_that_drip_are_not_waited_for(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        async def drip(_: Received) -> bytes | None:
            await asyncio.sleep(30)
            return None

        async with receiver(drip) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            await happen(own_database, acme, "one")
            await hand.deliver(webhook_id)
        (delivery,) = await log_of(acme, webhook_id)
        assert delivery["log"][0]["error"] == "no answer within 2 s"

    async def test_that_are_not_there_are_left_alone_for_a_while(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        async with receiver() as server:
            url = server.url
        webhook_id = await webhook(acme, url, EVENT)
        for number in range(8):
            await happen(own_database, acme, "one", subject=f"call-{number}")
        await hand.deliver(webhook_id)
        attempts = sum(len(each["log"]) for each in await log_of(acme, webhook_id))
        assert attempts == 5
        hand.clock.pass_by(seconds=31)
        await hand.deliver(webhook_id)
        assert sum(len(each["log"]) for each in await log_of(acme, webhook_id)) == 6

    async def test_that_come_back_get_everything(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        well = False

        async def behave(got: Received) -> bytes | None:
            return await answering(200 if well else 500)(got)

        async with receiver(behave) as server:
            webhook_id = await webhook(acme, server.url, EVENT)
            for number in range(8):
                await happen(own_database, acme, f"{number}", subject=f"call-{number}")
            await hand.deliver(webhook_id)
            well = True
            hand.clock.pass_by(minutes=3)
            await hand.deliver(webhook_id)
            assert {each["status"] for each in await log_of(acme, webhook_id)} == {"delivered"}

    async def test_that_never_come_back_are_given_up(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        webhook_id = await webhook(acme, "http://127.0.0.1:1/", EVENT)
        await happen(own_database, acme, "one")
        hand.clock.pass_by(days=4)
        await hand.sweep()
        (delivery,) = await log_of(acme, webhook_id)
        assert (delivery["status"], delivery["reason"]) == ("failed", "given_up")


class TestPrivateAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            *("https://localhost.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.8/x"),
            *("https://169.254.169.254/latest/meta-data", "https://[::ffff:127.0.0.1]/", "http://example.com/"),
        ],
    )
    async def test_are_not_connected_to_whatever_the_name_was_when_it_was_registered(
        self, own_database: Database, acme: Customer, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        loop = asyncio.get_running_loop()

        async def rebound(*_: Any, **__: Any) -> list[Any]:
            return [(2, 1, 6, "", ("127.0.0.1", 443)), (2, 1, 6, "", ("93.184.216.34", 443))]

        monkeypatch.setattr(type(loop), "getaddrinfo", rebound)
        hand = Hand(own_database, allow_private=False)
        webhook_id = await webhook(acme, "https://example.com/", EVENT)
        async with own_database.transaction() as tx:
            await tx.execute(sa.text("update webhook_endpoints set url = :url"), {"url": url})
        await happen(own_database, acme, "one")
        await hand.deliver(webhook_id)
        await hand.close()
        (delivery,) = await log_of(acme, webhook_id)
        assert "private" in delivery["log"][0]["error"] or "https" in delivery["log"][0]["error"]


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

"""Receivers that fail, hang, lie, send elsewhere, or stand where nobody may connect."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from tests.integration.webhooks.delivering import EVENT, Hand, happen, log_of
from tests.support.after_calls import Received, answering, receiver, webhook
from tests.support.asking import Customer

from rymi_server.foundation.database import Database

SECRET = "a-secret-of-enough-characters"


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

        # Names are told by servers outside this machine; this one has changed its mind since the address was checked.
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

"""Whoever is named at an endpoint is told by mail that its deliveries fail."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from tests.integration.webhooks.delivering import EVENT, Hand, happen
from tests.support.after_calls import working
from tests.support.asking import Customer, settings_for_tests
from tests.support.mail_server import MailBox, mail_box
from tests.support.waiting import until

from rymi_server.foundation.database import Database
from rymi_server.webhooks.alerting import Alerter, MailFailed
from rymi_server.webhooks.mail_server import MailServer

NOWHERE = "http://127.0.0.1:1/hook"


@pytest.fixture
async def hand(own_database: Database) -> AsyncIterator[Hand]:
    hand = Hand(own_database, sends_mails=True)
    yield hand
    await hand.close()


async def registered(customer: Customer, **fields: Any) -> str:
    answer = await customer.post("/v1/webhooks", {"url": NOWHERE, "events": [EVENT], **fields})
    assert answer.status_code == 201, answer.text
    webhook_id: str = answer.json()["id"]
    return webhook_id


async def given_up(database: Database, customer: Customer, hand: Hand, webhook_id: str, *names: str) -> list[str]:
    """Have news fail until it is tried no more. The ids of its deliveries."""
    await happen(database, customer, *names)
    for _ in range(200):
        await hand.deliver(webhook_id)
        hand.clock.pass_by(minutes=31)
    listed = (await customer.get(f"/v1/webhooks/{webhook_id}/deliveries")).json()["deliveries"]
    assert {each["status"] for each in listed} == {"failed"}
    return [each["id"] for each in listed]


async def alerts(database: Database) -> list[dict[str, Any]]:
    async with database.transaction() as tx:
        rows = await tx.execute(sa.text("select data from bullmq.job where name = 'alert' and queue = 'webhooks'"))
        return [{name: row[0][name] for name in ("delivery_id", "tenant_id", "at")} for row in rows]


def has(box: MailBox) -> Any:
    async def has_mail() -> bool:
        return bool(box.got)

    return has_mail


class TestAnAlert:
    async def test_is_mailed_by_the_worker(
        self, own_database: Database, acme: Customer, hand: Hand, tmp_path: Path
    ) -> None:
        webhook_id = await registered(acme, alert_email="ops@example.com")
        (delivery_id,) = await given_up(own_database, acme, hand, webhook_id, "one")
        (job,) = await alerts(own_database)
        assert (job["delivery_id"], job["tenant_id"]) == (delivery_id, acme.tenant.id)
        async with mail_box() as box:
            changed = {"smtp_url": box.url, "mail_from": "Rymi <rymi@example.com>"}
            async with working(own_database, tmp_path, **changed):
                await until("the mail", has(box))
        (mail,) = box.got
        assert (mail["To"], mail["From"]) == ("ops@example.com", "Rymi <rymi@example.com>")
        assert mail["Subject"] == f"Rymi: a {EVENT} webhook could not be delivered"
        assert delivery_id in mail["Message-ID"]
        assert f"to {NOWHERE}." in mail.get_content()
        assert "tried 8 times" in mail.get_content()

    async def test_is_not_repeated_within_the_hour(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        webhook_id = await registered(acme, alert_email="ops@example.com")
        await happen(own_database, acme, "one", subject="a")
        await happen(own_database, acme, "two", subject="b")
        async with own_database.transaction() as tx:
            await tx.execute(sa.text("update webhook_deliveries set attempts = 7"))
        await hand.deliver(webhook_id)
        assert len(await alerts(own_database)) == 1
        listed = (await acme.get(f"/v1/webhooks/{webhook_id}/deliveries")).json()["deliveries"]
        assert [each["status"] for each in listed] == ["failed", "failed"]

    async def test_is_for_who_asked_for_it(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        await given_up(own_database, acme, hand, await registered(acme), "one")
        assert await alerts(own_database) == []

    async def test_of_what_is_gone_is_not_sent(self, own_database: Database, acme: Customer, hand: Hand) -> None:
        webhook_id = await registered(acme, alert_email="ops@example.com")
        await given_up(own_database, acme, hand, webhook_id, "one")
        assert (await acme.ask("DELETE", f"/v1/webhooks/{webhook_id}")).status_code == 200
        async with mail_box() as box:
            (job,) = await alerts(own_database)
            await Alerter(own_database, MailServer.at(box.url, "rymi@example.com"))(job)
        assert box.got == []

    @pytest.mark.parametrize(("refuses", "again"), [("450 later", True), ("550 nobody here", False)])
    async def test_that_is_refused_is_tried_again_if_it_is_worth_it(
        self, own_database: Database, acme: Customer, hand: Hand, refuses: str, again: bool
    ) -> None:
        await given_up(own_database, acme, hand, await registered(acme, alert_email="ops@example.com"), "one")
        (job,) = await alerts(own_database)
        async with mail_box(refuses) as box:
            with pytest.raises(MailFailed, match=refuses[4:]) as failed:
                await Alerter(own_database, MailServer.at(box.url, "rymi@example.com"))(job)
        assert failed.value.retryable is again

    async def test_sends_no_password_in_the_open_and_waits_for_a_server_that_is_away(
        self, own_database: Database, acme: Customer, hand: Hand
    ) -> None:
        await given_up(own_database, acme, hand, await registered(acme, alert_email="ops@example.com"), "one")
        (job,) = await alerts(own_database)
        async with mail_box() as box:
            url = box.url.replace("smtp://", "smtp://ann:secret@")
            with pytest.raises(MailFailed, match="no TLS"):
                await Alerter(own_database, MailServer.at(url, "rymi@example.com"))(job)
        assert box.got == []
        with pytest.raises(MailFailed) as failed:
            await Alerter(own_database, MailServer.at("smtp://127.0.0.1:1", "rymi@example.com"))(job)
        assert failed.value.retryable


class TestTheSetting:
    @pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://host:port"])
    def test_must_name_a_mail_server(self, url: str) -> None:
        with pytest.raises(ValidationError):
            settings_for_tests(smtp_url=url)

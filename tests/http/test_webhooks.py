"""`/v1/webhooks`."""

from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.asking import SECRET, Customer, client_for, new_customer

from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import Seal
from rymi_server.webhooks.catalog import EMITTED, EVERY, RESERVED
from rymi_server.webhooks.models import SECRET_PURPOSE, webhook_endpoints

HOOKS = "/v1/webhooks"
URL = "https://example.com/rymi"
GIVEN = "a-secret-of-mine-0123456789"


async def listed(customer: Customer) -> list[dict[str, Any]]:
    webhooks: list[dict[str, Any]] = (await customer.get(HOOKS)).json()["webhooks"]
    return webhooks


async def registered(customer: Customer, **fields: Any) -> dict[str, Any]:
    answer = await customer.post(HOOKS, {"url": URL, "events": ["call.completed"], "secret": GIVEN, **fields})
    assert answer.status_code == 201, answer.text
    webhook: dict[str, Any] = answer.json()
    return webhook


async def secret_of(database: Database, customer: Customer, webhook_id: str) -> str:
    found = sa.select(webhook_endpoints.c.sealed_secret).where(webhook_endpoints.c.id == webhook_id)
    async with database.transaction() as tx:
        sealed = (await tx.execute(found)).scalar_one()
    assert GIVEN.encode() not in sealed
    return Seal.from_text(SECRET).open(sealed, owner=customer.tenant.id, purpose=SECRET_PURPOSE)


class TestRegistering:
    async def test_answers_201_and_never_shows_the_secret(self, database: Database, acme: Customer) -> None:
        events = ["call.completed", "call.intelligence.ready", "call.completed"]
        body = {"url": URL, "events": events, "secret": GIVEN, "alert_email": "ops@example.com"}
        answer = await acme.post(HOOKS, body)
        assert answer.status_code == 201
        webhook = answer.json()
        assert webhook.pop("status") == "registered"
        page = (await acme.get(HOOKS)).json()
        assert page.pop("webhooks") == [webhook]
        assert page == {"total": 1, "offset": 0, "limit": 50}
        assert await secret_of(database, acme, webhook["id"]) == GIVEN
        assert webhook.pop("id").startswith("wh_")
        assert webhook.pop("created_at").endswith("Z")
        assert webhook == {"url": URL, "events": events[:2], "alert_email": "ops@example.com"}

    async def test_makes_a_secret_where_none_is_given_and_shows_it_once(
        self, database: Database, acme: Customer
    ) -> None:
        for secret in ({}, {"secret": None}):
            answer = await acme.post(HOOKS, {"url": URL, "events": ["call.completed"], **secret})
            made = answer.json()
            assert len(made["secret"]) >= 32
            assert await secret_of(database, acme, made["id"]) == made["secret"]
        assert all("secret" not in webhook for webhook in await listed(acme))

    async def test_takes_every_name_of_the_catalog(self, acme: Customer) -> None:
        assert not set(EMITTED) & set(RESERVED)
        assert (await registered(acme, events=list(EVERY)))["events"] == list(EVERY)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("url", value) for value in (None, 5, "", "https://localhost/", "http://example.com/", "x" * 2_049)),
            *(("events", value) for value in (None, [], ["call.unknown"], ["*"], "call.completed", [5])),
            *(("secret", value) for value in ("x" * 15, "x" * 257, 5)),
            *(("alert_email", value) for value in ("ops", "ops@example", "a b@example.com", "x" * 255, 5)),
        ],
    )
    async def test_refuses_what_is_wrong(self, acme: Customer, field: str, value: object) -> None:
        body = {"url": URL, "events": ["call.completed"], "secret": GIVEN, field: value}
        answer = await acme.post(HOOKS, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["details"][0]["field"].startswith(field)
        assert await listed(acme) == []

    async def test_takes_a_private_url_where_the_operator_allows_it(self, database: Database) -> None:
        async with client_for(database, allow_private_webhooks=True) as http:
            acme = await new_customer(database, http)
            assert (await registered(acme, url="http://127.0.0.1:9000/"))["url"] == "http://127.0.0.1:9000/"


class TestChanging:
    async def test_changes_only_what_is_sent(self, database: Database, acme: Customer) -> None:
        before = await registered(acme, alert_email="ops@example.com")
        answer = await acme.ask("PATCH", f"{HOOKS}/{before['id']}", json={"events": ["call.failed", "call.failed"]})
        assert (answer.status_code, answer.json()) == (200, {"status": "updated", "id": before["id"]})
        (after,) = await listed(acme)
        assert after == {**after, "url": URL, "events": ["call.failed"], "alert_email": "ops@example.com"}
        assert await secret_of(database, acme, before["id"]) == GIVEN

    async def test_takes_every_field(self, database: Database, acme: Customer) -> None:
        webhook_id = (await registered(acme, alert_email="ops@example.com"))["id"]
        change = {"url": "https://example.org/", "events": ["call.failed"], "alert_email": None}
        answer = await acme.ask("PATCH", f"{HOOKS}/{webhook_id}", json={**change, "secret": "another-secret-of-mine"})
        assert answer.status_code == 200
        (after,) = await listed(acme)
        assert {name: after[name] for name in change} == change
        assert await secret_of(database, acme, webhook_id) == "another-secret-of-mine"

    async def test_of_nothing_changes_nothing(self, acme: Customer) -> None:
        before = await registered(acme)
        assert (await acme.ask("PATCH", f"{HOOKS}/{before['id']}", json={})).status_code == 200
        assert (await listed(acme))[0]["url"] == URL

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("url", value) for value in (None, "", "https://10.0.0.1/", 5)),
            *(("events", value) for value in (None, [], ["call.unknown"])),
            *(("secret", value) for value in (None, "short")),
            ("alert_email", "ops"),
        ],
    )
    async def test_refuses_what_is_wrong(self, acme: Customer, field: str, value: object) -> None:
        before = await registered(acme)
        answer = await acme.ask("PATCH", f"{HOOKS}/{before['id']}", json={field: value})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        (after,) = await listed(acme)
        assert after == {name: before[name] for name in after}

    async def test_finds_no_webhook_of_another_account(self, acme: Customer, rival: Customer) -> None:
        theirs = await registered(rival)
        for webhook_id in (theirs["id"], "wh_nobody"):
            for change in ({}, {"url": "https://example.org/"}):
                answer = await acme.ask("PATCH", f"{HOOKS}/{webhook_id}", json=change)
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await listed(rival))[0]["url"] == URL


class TestDeleting:
    async def test_removes_the_webhook(self, acme: Customer) -> None:
        webhook_id = (await registered(acme))["id"]
        answer = await acme.ask("DELETE", f"{HOOKS}/{webhook_id}")
        assert (answer.status_code, answer.json()) == (200, {"status": "deleted", "id": webhook_id})
        assert await listed(acme) == []
        assert (await acme.ask("DELETE", f"{HOOKS}/{webhook_id}")).status_code == 404

    async def test_finds_no_webhook_of_another_account(self, acme: Customer, rival: Customer) -> None:
        theirs = await registered(rival)
        answer = await acme.ask("DELETE", f"{HOOKS}/{theirs['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert len(await listed(rival)) == 1


class TestListing:
    async def test_shows_the_window_that_is_asked_for_newest_first(self, acme: Customer) -> None:
        for name in ("one", "two", "three"):
            await registered(acme, url=f"https://example.com/{name}")
        page = (await acme.get(f"{HOOKS}?limit=1&offset=1")).json()
        assert [webhook["url"] for webhook in page["webhooks"]] == ["https://example.com/two"]
        assert (page["total"], page["offset"], page["limit"]) == (3, 1, 1)

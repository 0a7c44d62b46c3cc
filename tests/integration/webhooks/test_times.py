"""Times on a PostgreSQL whose sessions are not in UTC, as one is that was set up on a machine elsewhere."""

import json
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql
from tests.support.after_calls import new_call, webhook
from tests.support.asking import CLOCK, Customer
from tests.support.calling import everybody_joins

from rymi_server.calls.facts import CallEnded
from rymi_server.foundation.database import Database
from rymi_server.webhooks.hearing import NewsDesk
from rymi_server.webhooks.models import webhook_deliveries


@pytest.fixture
async def own_database(database_url: str) -> AsyncIterator[Database]:
    """In the place of the one that the tests beside this have."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("alter database {} set timezone to 'Asia/Kolkata'").format(name))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("show timezone").fetchone() == ("Asia/Kolkata",)
    database = Database(database_url)
    yield database
    await database.close()


async def told_of(database: Database, customer: Customer, call_id: str) -> list[dict[str, Any]]:
    """All that the customer was told, once this call is over."""
    async with database.transaction() as tx:
        await NewsDesk(CLOCK).of_end(tx, CallEnded(call_id, customer.tenant.id, "ended_by_api"))
    in_order = sa.select(webhook_deliveries.c.body).order_by(webhook_deliveries.c.sequence)
    async with database.transaction() as tx:
        return [json.loads(body) for body in (await tx.execute(in_order)).scalars()]


class TestTimes:
    async def test_that_a_webhook_tells_are_those_of_the_api(self, own_database: Database, acme: Customer) -> None:
        await webhook(acme, "http://127.0.0.1:9/hook", "call.started", "participant.joined", "participant.left")
        call_id = await new_call(acme)
        await everybody_joins(own_database, call_id)
        assert (await acme.post(f"/v1/calls/{call_id}/end")).status_code == 200
        shown = (await acme.get(f"/v1/calls/{call_id}")).json()
        started, joined, left = await told_of(own_database, acme, call_id)
        assert started["timestamp"] == started["data"]["started_at"] == shown["started_at"]
        (person,) = shown["participants"]
        assert joined["timestamp"] == joined["data"]["participant"]["joined_at"] == person["joined_at"]
        assert left["timestamp"] == left["data"]["participant"]["left_at"] == person["left_at"]

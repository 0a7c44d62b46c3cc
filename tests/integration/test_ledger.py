"""The credit ledger on a real database."""

from datetime import UTC, datetime
from decimal import Decimal

from rymi_server.credits import ledger
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, new_uuid
from rymi_server.tenants import store as tenants

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


class TestAMovement:
    async def test_happens_once_however_often_it_is_asked_for(self, database: Database) -> None:
        call = CallId(new_uuid())
        async with database.transaction() as tx:
            tenant = await tenants.create(tx, "Acme", "custom", NOW)
            await ledger.open_account(tx, tenant.id)
            for _ in range(2):
                await ledger.grant(tx, tenant.id, Decimal(10), reference="once", note="", now=NOW)
                await ledger.settle(tx, tenant.id, call, Decimal(3), NOW)
            assert (await ledger.account_of(tx, tenant.id)).balance == Decimal(7)
            assert [entry.amount for entry in await ledger.entries(tx, tenant.id, 10)] == [Decimal(-3), Decimal(10)]

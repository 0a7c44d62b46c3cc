"""Statements that go straight to the driver: the same transaction, the same types, the same errors."""

import psycopg
import pytest
import sqlalchemy as sa

from rymi_server.entrypoints.tenancy import create_tenant
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database, DatabaseUnreachable, driver_of
from rymi_server.foundation.statements import Statement
from rymi_server.tenants.models import tenants

ONE = Statement(sa.text("select cast(:x as int)"))
BY_NAME = Statement(sa.select(tenants).where(tenants.c.name == sa.bindparam("name"), tenants.c.plan == "free"))


class TestStatement:
    async def test_reads_what_was_written_in_the_same_transaction_in_the_types_of_the_tables(
        self, database: Database
    ) -> None:
        now = SystemClock().now()
        async with database.transaction() as tx:
            created = await create_tenant(tx, "Acme", "free", now)
            row = await BY_NAME.one(tx, {"name": "Acme"})
        assert row[0] == created.id
        assert isinstance(row[0], str)
        assert now in row

    async def test_is_undone_with_its_transaction(self, database: Database) -> None:
        insert = Statement(
            sa.text("insert into tenants (id, name, plan, created_at) values (gen_random_uuid(), :name, 'free', now())")
        )

        async def change_their_mind() -> None:
            async with database.transaction() as tx:
                await insert.run(tx, {"name": "Never"})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await change_their_mind()
        async with database.transaction() as tx:
            assert await BY_NAME.one_or_none(tx, {"name": "Never"}) is None

    async def test_a_broken_rule_is_the_error_that_everybody_expects(self, database: Database) -> None:
        insert = Statement(sa.text("insert into credit_accounts (tenant_id) values (gen_random_uuid())"))
        with pytest.raises(sa.exc.IntegrityError) as broken:
            async with database.transaction() as tx:
                await insert.run(tx, {})
        assert isinstance(broken.value.orig, psycopg.IntegrityError)

    async def test_a_lost_connection_is_told_as_such_and_not_used_again(self, database_url: str) -> None:
        database = Database(database_url, connections=1)

        async def be_cut_off() -> None:
            async with database.transaction() as tx:
                me = driver_of(tx).info.backend_pid
                async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as other:
                    await other.execute("select pg_terminate_backend(%s)", (me,))
                await ONE.one(tx, {"x": 1})

        with pytest.raises(DatabaseUnreachable):
            await be_cut_off()
        async with database.transaction() as tx:
            assert await ONE.one(tx, {"x": 1}) == (1,)
        await database.close()

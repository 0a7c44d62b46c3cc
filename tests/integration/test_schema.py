"""The tables that the code declares are the tables that the migrations make."""

import asyncio
import importlib
import pkgutil

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import rymi_server
from rymi_server.entrypoints.migrate import migrate
from rymi_server.entrypoints.revisions import newest_revision
from rymi_server.foundation.database import for_sqlalchemy, metadata


class TestTheSchema:
    async def test_is_what_the_code_declares(self, database_url: str) -> None:
        for module in pkgutil.walk_packages(rymi_server.__path__, "rymi_server."):
            importlib.import_module(module.name)
        differences = await asyncio.to_thread(_differences, database_url)
        assert [difference for difference in differences if _concerns_columns(difference)] == []

    async def test_can_be_brought_up_to_date_by_several_at_once(self, database_url: str) -> None:
        await asyncio.gather(*(asyncio.to_thread(asyncio.run, migrate(database_url)) for _ in range(3)))
        engine = sa.create_engine(for_sqlalchemy(database_url), poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert MigrationContext.configure(connection).get_current_revision() == newest_revision()


def _differences(url: str) -> list[object]:
    engine = sa.create_engine(for_sqlalchemy(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)


def _concerns_columns(difference: object) -> bool:
    """Indexes, and foreign keys to tables of other packages, stand in the migrations only."""
    kind = difference[0] if isinstance(difference, tuple) else difference[0][0]  # type: ignore[index]
    return kind not in ("remove_index", "remove_fk", "remove_constraint")

"""Whether BullMQ's tables are those of the installed package, which is not loaded to find out."""

import importlib.util
from pathlib import Path

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction


def newest_version() -> int:
    """The number of the last migration that the package carries."""
    spec = importlib.util.find_spec("bullmq")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    migrations = Path(spec.submodule_search_locations[0]) / "postgres" / "migrations"
    return max(int(file.name.partition("_")[0]) for file in migrations.glob("*.sql"))


async def current_version(tx: Transaction) -> int | None:
    """The version of a database, or None where BullMQ has never been."""
    if (await tx.execute(sa.text("select to_regclass('bullmq.migration')"))).scalar_one() is None:
        return None
    found: int | None = (await tx.execute(sa.text("select max(version) from bullmq.migration"))).scalar_one()
    return found

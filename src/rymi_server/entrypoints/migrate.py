"""Brings a database up to date: our tables by alembic, BullMQ's by BullMQ, one starter at a time."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

import rymi_server
from rymi_server.foundation.database import Transaction, for_libpq, for_sqlalchemy
from rymi_server.foundation.errors import Unavailable
from rymi_server.queue.schema import migrate_bullmq

# Spells `rymi`.
_LOCK = 0x72796D69


class DatabaseIsNewer(Unavailable):
    code = "database_is_newer"

    def __init__(self) -> None:
        super().__init__(
            "A newer version of Rymi than this one has migrated the database. Run that version, or restore a backup.",
            retryable=False,
        )


def migrations_folder() -> Path:
    """Beside the sources in a checkout, inside the package where it was installed."""
    package = Path(rymi_server.__file__).parent
    inside = package / "_migrations"
    return inside if inside.exists() else package.parents[1] / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    return config


def newest_revision() -> str:
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


async def current_revision(tx: Transaction) -> str | None:
    """The revision of a database, or None where it was never migrated."""
    if (await tx.execute(sa.text("select to_regclass('alembic_version')"))).scalar_one() is None:
        return None
    found: str | None = (await tx.execute(sa.text("select version_num from alembic_version"))).scalar_one_or_none()
    return found


async def migrate(url: str) -> None:
    """Idempotent: what is done is not done again. Whoever starts at the same time waits. Raise `DatabaseIsNewer`."""
    engine = sa.create_engine(for_sqlalchemy(url), poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("select pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        await migrate_bullmq(for_libpq(url))
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseIsNewer from error
        connection.commit()
        connection.execute(sa.text("select pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()
    engine.dispose()

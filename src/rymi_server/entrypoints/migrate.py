"""Brings a database up to date: our tables by alembic, BullMQ's by BullMQ, one starter at a time."""

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from rymi_server.entrypoints.revisions import migrations_folder
from rymi_server.foundation.database import for_libpq, for_sqlalchemy
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    return config


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

"""Whether a process can do its work: its database answers, and has the tables that this version needs."""

import asyncio

import sqlalchemy as sa

from rymi_server.entrypoints.revisions import current_revision, newest_revision
from rymi_server.foundation.database import Database, DatabaseUnreachable
from rymi_server.http.health import Missing, Readiness

_PATIENCE_SECONDS = 3

_UNREACHABLE = Missing(
    "database",
    "PostgreSQL does not answer at DATABASE_URL. Start it, or correct the URL; `rymi doctor` says more.",
)


def readiness_of(database: Database) -> Readiness:
    """Ready once the database is as new as this process."""
    wanted = newest_revision()

    async def missing() -> list[Missing]:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS), database.transaction() as tx:
                found = await current_revision(tx)
        except (DatabaseUnreachable, TimeoutError, sa.exc.DBAPIError):
            return [_UNREACHABLE]
        return [] if found == wanted else [_outdated(found, wanted)]

    return missing


def _outdated(found: str | None, wanted: str) -> Missing:
    return Missing(
        "migrations",
        f"The database is at revision {found or 'none'} and this version needs {wanted}. Run `rymi migrate`.",
    )

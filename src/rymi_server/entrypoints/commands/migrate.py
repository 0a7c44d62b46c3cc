"""`rymi migrate`: brings the database up to date."""

import asyncio

from rymi_server.entrypoints.migrate import current_revision, migrate, newest_revision
from rymi_server.entrypoints.operating import Installation, installation


def run() -> None:
    here = installation()
    before = asyncio.run(_revision(here))
    asyncio.run(migrate(here.database_url))
    newest = newest_revision()
    print(f"The database is at {newest}." if before == newest else f"Migrated from {before or 'nothing'} to {newest}.")


async def _revision(here: Installation) -> str | None:
    async with here.transaction() as tx:
        return await current_revision(tx)

"""`rymi migrate`: brings the database up to date."""

import asyncio

from rymi_server.entrypoints.migrate import migrate
from rymi_server.entrypoints.operating import Installation, installation
from rymi_server.entrypoints.revisions import current_revision, newest_revision


def run() -> None:
    here = installation()
    before = asyncio.run(_revision(here))
    asyncio.run(migrate(here.database_url))
    newest = newest_revision()
    print(f"The database is at {newest}." if before == newest else f"Migrated from {before or 'nothing'} to {newest}.")


async def _revision(here: Installation) -> str | None:
    async with here.transaction() as tx:
        return await current_revision(tx)

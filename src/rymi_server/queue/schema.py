"""BullMQ's own tables and functions, brought up to the version that its package carries."""

import psycopg
from bullmq.backends.postgres_connection import run_migrations


async def migrate_bullmq(libpq_url: str) -> int:
    """Return the version reached. BullMQ holds an advisory lock meanwhile, so starters may race."""
    connection = await psycopg.AsyncConnection.connect(libpq_url, autocommit=False)
    try:
        version: int = await run_migrations(connection)
    finally:
        await connection.close()
    return version

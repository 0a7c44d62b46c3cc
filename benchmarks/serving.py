"""A migrated PostgreSQL on this machine's disk, a tenant with an agent, and the API as a process of its own."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from rymi_server.agents import store as agents
from rymi_server.entrypoints.migrate import migrate
from rymi_server.entrypoints.tenancy import add_credit, create_key, create_tenant
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.postgres_supervisor import PostgresServer
from rymi_server.foundation.sealed import pepper_from_text

SECRET = "only-for-benchmarks-0123456789-0123456789"
LIVEKIT_SECRET = "a-livekit-secret-for-benchmarks-0123456789"


@dataclass(frozen=True, slots=True)
class Served:
    database: Database
    port: int
    tenant_id: TenantId
    agent_id: str
    key: str


@asynccontextmanager
async def served(environment: Mapping[str, str] | None = None) -> AsyncIterator[Served]:
    """`environment` is the API's, over what it has anyway."""
    home = tempfile.mkdtemp(prefix="rymi-bench-", dir="/tmp")
    os.chmod(home, 0o755)
    postgres = PostgresServer(Path(home))
    postgres.start()
    try:
        await migrate(postgres.url)
        database = Database(postgres.url, connections=40)
        tenant_id, agent_id, key = await _tenant(database)
        port = free_port()
        process = _start_api(postgres.url, port, environment or {})
        try:
            await _ready(port)
            yield Served(database, port, tenant_id, agent_id, key)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            await database.close()
    finally:
        postgres.stop()
        shutil.rmtree(home)


async def _tenant(database: Database) -> tuple[TenantId, str, str]:
    now = SystemClock().now()
    async with database.transaction() as tx:
        tenant = await create_tenant(tx, "Bench", "custom", now)
        await add_credit(tx, tenant.id, Decimal(1_000_000), "bench", now)
        key = await create_key(tx, tenant.id, "bench", pepper_from_text(SECRET), now)
        agent = await agents.create(tx, tenant.id, "Aria", "operator", {"playbook": {"opener": "Hello."}}, now)
    return tenant.id, agent.id, key.plaintext


def _start_api(database_url: str, port: int, more: Mapping[str, str]) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "LIVEKIT_API_KEY": "devkey",
        "LIVEKIT_API_SECRET": LIVEKIT_SECRET,
        **more,
        "DATABASE_URL": database_url,
        "RYMI_SECRET": SECRET,
        "RYMI_HTTP_PORT": str(port),
        "RYMI_DATABASE_CONNECTIONS": "20",
        "RYMI_LOG_LEVEL": "warning",
    }
    return subprocess.Popen([sys.executable, "-m", "rymi_server.entrypoints.api"], env=environment)


async def _ready(port: int) -> None:
    for _ in range(1200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError("the API did not start within 60 s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""Our queues are BullMQ's: its own client for Node reads what the API reports."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.support.asking import new_customer, phone

from rymi_server.foundation.database import Database, for_libpq

FOLDER = Path(__file__).parents[1] / "node_queue"

pytestmark = pytest.mark.skipif(
    not shutil.which("node") or not (FOLDER / "node_modules" / "bullmq").exists(),
    reason="BullMQ for Node is not installed: npm install --prefix tests/node_queue",
)


def as_node_sees(queue: str, url: str) -> dict[str, Any]:
    """The counts and the ids of what waits."""
    parts = psycopg.conninfo.conninfo_to_dict(for_libpq(url))
    connection = {name: parts[name] for name in ("host", "port", "user", "password") if name in parts}
    connection["database"] = parts["dbname"]
    command = ["node", str(FOLDER / "counts.mjs"), queue, json.dumps(connection)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class TestTheDialQueue:
    async def test_is_read_by_bullmq_for_node(self, database: Database, http: httpx.AsyncClient) -> None:
        acme = await new_customer(database, http)
        body = {"agent_id": await acme.new_agent(), "participants": [phone("+15551234567"), phone("+15551234568")]}
        made = (await acme.post("/v1/calls", body)).json()
        seen = as_node_sees("dial", database.url)
        assert sorted(map(str, seen["ids"])) == sorted(each["job_id"] for each in made["participants"])
        stats = (await acme.get("/v1/calls/queue/stats")).json()
        assert seen["counts"] == {"waiting": 2, "active": 0, "delayed": 0, "completed": 0, "failed": 0}
        assert stats == {"waiting": 2, "active": 0, "completed": 0, "failed": 0}

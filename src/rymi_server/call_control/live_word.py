"""What is worth knowing only now: drafts, who speaks, what the agent does. Told to who watches, and kept nowhere."""

import json

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId
from rymi_server.runtime.reports import AgentState, Drafted, Speaking

CHANNEL = "rymi_live"
# PostgreSQL carries less than 8000 bytes at a time, and a character may take twelve (`\\ud83d\\ude00`).
_LONGEST_DRAFT = 500
_NOTIFY = sa.text("select pg_notify(:channel, :payload)")


async def tell(tx: Transaction, call_id: CallId, report: Drafted | Speaking | AgentState) -> None:
    """Once the transaction commits. Of a long draft the end is told, which is what changes."""
    if isinstance(report, Drafted) and len(report.line.text) > _LONGEST_DRAFT:
        line = report.line.model_copy(update={"text": "…" + report.line.text[-_LONGEST_DRAFT:]})
        report = report.model_copy(update={"line": line})
    payload = f"{call_id} {json.dumps(report.model_dump(mode='json'))}"
    if len(payload) < 8000:
        await tx.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

"""What is worth knowing only now: drafts, who speaks, what the agent does. Told to who watches, and kept nowhere.

What is kept needs no word of ours: the tables tell of their own changes on the same channel, by the call's id alone.
"""

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId

CHANNEL = "rymi_live"
# PostgreSQL carries less than 8000 bytes at a time, and a character may take twelve (`\\ud83d\\ude00`).
_LONGEST_TEXT = 500
_LONGEST_PAYLOAD = 7_999
_NOTIFY = sa.text("select pg_notify(:channel, :payload)")


async def tell(tx: Transaction, call_id: CallId, passing: Mapping[str, Any]) -> None:
    """Once the transaction commits. Of a long draft the end is told, which is what changes."""
    line = passing.get("line")
    if line and len(line["text"]) > _LONGEST_TEXT:
        passing = {**passing, "line": {**line, "text": "…" + line["text"][-_LONGEST_TEXT:]}}
    payload = f"{call_id} {json.dumps(passing)}"
    if len(payload) <= _LONGEST_PAYLOAD:
        await tx.execute(_NOTIFY, {"channel": CHANNEL, "payload": payload})

"""The turns that people took in a call: why each ended, by which engine, and where the time went."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert

from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import CallId

call_turns = sa.Table(
    "call_turns",
    metadata,
    sa.Column("call_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("run", sa.Text, primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("participant_id", sa.Uuid(as_uuid=False)),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("fallback", sa.Boolean, nullable=False),
    sa.Column("started_at_ms", sa.Integer, nullable=False),
    sa.Column("speech_ended_at_ms", sa.Integer, nullable=False),
    sa.Column("decided_at_ms", sa.Integer, nullable=False),
    sa.Column("end_reason", sa.Text, nullable=False),
    sa.Column("answer_pushed_at_ms", sa.Integer),
    sa.Column("answer_heard_at_ms", sa.Integer),
    sa.Column("interrupted_at_ms", sa.Integer),
    sa.Column("silent_at_ms", sa.Integer),
    sa.Column("parts", JSONB, nullable=False),
    sa.Column("trace", JSONB, nullable=False),
)


async def add(tx: Transaction, call_id: CallId, run: str, turns: Sequence[Mapping[str, Any]]) -> None:
    """Keep turns by their columns' names. A turn that is there already stays as it was first told."""
    if turns:
        rows = [{**turn, "call_id": call_id, "run": run} for turn in turns]
        await tx.execute(insert(call_turns).values(rows).on_conflict_do_nothing())


async def of_call(tx: Transaction, call_id: CallId) -> list[dict[str, Any]]:
    """In the order in which they began."""
    mine = sa.select(call_turns).where(call_turns.c.call_id == call_id)
    in_order = mine.order_by(call_turns.c.started_at_ms, call_turns.c.turn)
    return [dict(row._mapping) for row in await tx.execute(in_order)]

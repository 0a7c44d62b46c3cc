"""Calls that go on, as those who look after them find them: across all tenants, and none of them changed here."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from rymi_server.calls.lifecycle import LIVE
from rymi_server.calls.models import Call, CallStatus, ParticipantStatus, Transport, call_participants, calls
from rymi_server.calls.store import CALL_COLUMNS, call_from
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import CallId

_IN_PROGRESS = calls.c.status == CallStatus.IN_PROGRESS
# Written by customers, so perhaps not even a number.
_LIMIT = calls.c.agent[("advanced", "maxCallDuration")]


async def in_progress(tx: Transaction) -> list[Call]:
    return [call_from(row) for row in await tx.execute(sa.select(*CALL_COLUMNS).where(_IN_PROGRESS))]


async def with_guests(tx: Transaction, limit: int) -> list[Call]:
    """Live calls with somebody of whom the room decides whether they are in. The oldest first."""
    expected = sa.select(call_participants.c.call_id).where(
        call_participants.c.transport.in_([Transport.WEBRTC, Transport.INTERNAL]),
        call_participants.c.status.in_([ParticipantStatus.ACTIVE, ParticipantStatus.JOINING]),
    )
    found = sa.select(*CALL_COLUMNS).where(calls.c.ended_at.is_(None), calls.c.status.in_(LIVE))
    found = found.where(calls.c.id.in_(expected)).order_by(calls.c.id).limit(limit)
    return [call_from(row) for row in await tx.execute(found)]


async def ended_before(tx: Transaction, among: Sequence[CallId], instant: datetime) -> list[CallId]:
    """Those of `among` that were over by then."""
    wanted = sa.bindparam("calls", list(among), type_=ARRAY(sa.Uuid(as_uuid=False)))
    found = sa.select(calls.c.id).where(calls.c.id == sa.func.any(wanted), calls.c.ended_at < instant)
    return list((await tx.execute(found)).scalars())


async def overdue(tx: Transaction, now: datetime, most: timedelta) -> list[Call]:
    """Calls that have gone on for longer than `most`, or than their agent's own limit, at `now`.

    A limit that is no number, or none above 0, is none.
    """
    # JSON knows numbers that no float holds, and one of them would spare everybody's calls.
    said = sa.case((sa.func.jsonb_typeof(_LIMIT) == "number", _LIMIT.astext.cast(sa.Numeric)))
    own = sa.case((said > 0, said))
    seconds = sa.func.least(own, sa.cast(most.total_seconds(), sa.Numeric))
    over = sa.func.extract("epoch", sa.cast(now, sa.DateTime(timezone=True)) - calls.c.started_at) > seconds
    found = sa.select(*CALL_COLUMNS).where(_IN_PROGRESS, over)
    return [call_from(row) for row in await tx.execute(found)]

"""Each stay of somebody in a room, by LiveKit's name for it.

Who reloads a page is in the room again before the end of the first stay is told; that end must not count then.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.ids import ParticipantId

room_stays = sa.Table(
    "room_stays",
    metadata,
    sa.Column("participant_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("present_sid", sa.Text),
    sa.Column("left_sid", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Stay:
    """The newest stay that began, and the newest that ended."""

    present_sid: str | None
    left_sid: str | None


async def of(tx: Transaction, participant: ParticipantId) -> Stay:
    found = sa.select(room_stays.c.present_sid, room_stays.c.left_sid)
    row = (await tx.execute(found.where(room_stays.c.participant_id == participant))).one_or_none()
    return Stay(*row) if row else Stay(None, None)


async def began(tx: Transaction, participant: ParticipantId, sid: str) -> None:
    await _set(tx, participant, "present_sid", sid)


async def ended(tx: Transaction, participant: ParticipantId, sid: str) -> None:
    await _set(tx, participant, "left_sid", sid)


async def _set(tx: Transaction, participant: ParticipantId, column: str, sid: str) -> None:
    adding = insert(room_stays).values({"participant_id": participant, column: sid})
    await tx.execute(adding.on_conflict_do_update(index_elements=[room_stays.c.participant_id], set_={column: sid}))

"""How fast a carrier account may be dialed: a row that says when the next call is due, held by whoever reserves it.

Turns are handed out in order, one every so often, whichever process asks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import ConnectedCarrier
from rymi_server.telephony.models import dial_pace

# Who is later than this has missed its turn: taking it now could come too close to the next.
GRACE = timedelta(milliseconds=250)
ASK_AGAIN_ABOUT_ROOM = timedelta(seconds=3)

_adding = insert(dial_pace).values(account=sa.bindparam("account"), next_at=sa.bindparam("now"))
_HOLD = _adding.on_conflict_do_update(
    index_elements=[dial_pace.c.account], set_={"next_at": dial_pace.c.next_at}
).returning(dial_pace.c.next_at)


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The account has as many calls as it may have."""

    ask_again_at: datetime


async def reserve(tx: Transaction, connected: ConnectedCarrier, now: datetime) -> datetime | NoRoom:
    """The moment at which one call may be placed. Others wait for this transaction meanwhile."""
    due = (await tx.execute(_HOLD, {"account": connected.account, "now": now})).scalar_one()
    most = connected.concurrent_calls
    if most is not None and await store.live_on_account(tx, connected.account) >= most:
        return NoRoom(now + ASK_AGAIN_ABOUT_ROOM)
    turn: datetime = max(due, now)
    following = turn + timedelta(seconds=1 / connected.calls_per_second)
    await tx.execute(dial_pace.update().where(dial_pace.c.account == connected.account).values(next_at=following))
    return turn


async def slow_down(tx: Transaction, connected: ConnectedCarrier, until: datetime) -> None:
    """The carrier says that it is too much: nobody's turn comes before then."""
    adding = insert(dial_pace).values(account=connected.account, next_at=until)
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=[dial_pace.c.account],
            set_={"next_at": sa.func.greatest(dial_pace.c.next_at, adding.excluded.next_at)},
        )
    )

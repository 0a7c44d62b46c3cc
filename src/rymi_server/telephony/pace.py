"""How fast a carrier account may be dialed: one row an account, held by whoever asks it.

A leg is told roughly when its turn comes, so that it need not ask again and again, and takes the next free turn when
that time is near. Whoever comes late takes the next one all the same, so that no turn is lost while anybody waits.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import ConnectedCarrier
from rymi_server.telephony.models import dial_pace

# Turns that are nearer than this are waited for in place.
NEAR = timedelta(seconds=3)
# Who waits elsewhere comes back this much earlier, because the queue wakes a job to the second only.
EARLY = timedelta(seconds=2)
# A little slower than the limit: a request under way may be held up, and the next one not, and a carrier that refuses
# what is too much in any rolling second would see one too many.
_MARGIN = 1.03
_ASK_AGAIN_ABOUT_ROOM = timedelta(seconds=3)

_adding = insert(dial_pace).values(
    account=sa.bindparam("account"), next_at=sa.bindparam("now"), promised_at=sa.bindparam("now")
)
_HOLD = _adding.on_conflict_do_update(
    index_elements=[dial_pace.c.account], set_={"next_at": dial_pace.c.next_at}
).returning(dial_pace.c.next_at, dial_pace.c.promised_at)


@dataclass(frozen=True, slots=True)
class Turn:
    """One call may be placed at that moment."""

    at: datetime


@dataclass(frozen=True, slots=True)
class NotYet:
    """Come back then. `promised` is roughly when the turn will be; None where nobody can say."""

    ask_at: datetime
    promised: datetime | None


async def take_turn(
    tx: Transaction, connected: ConnectedCarrier, promised: datetime | None, now: datetime
) -> Turn | NotYet:
    """The next free turn, if it is near. Others wait for this transaction meanwhile."""
    if promised and promised - now > NEAR:
        return NotYet(promised - EARLY, promised)
    next_at, promised_at = (await tx.execute(_HOLD, {"account": connected.account, "now": now})).one()
    if not await has_room(tx, connected):
        return NotYet(now + _ASK_AGAIN_ABOUT_ROOM, None)
    interval = interval_of(connected)
    turn = max(next_at, now)
    last_promise = max(promised_at, now)
    if turn - now > NEAR or (promised is None and last_promise - now > NEAR):
        await _write(tx, connected, promised_at=last_promise + interval)
        return NotYet(max(now, last_promise - EARLY), last_promise)
    following = {"next_at": turn + interval}
    # Who was promised nothing stands in the line of promises, too.
    if promised is None:
        following["promised_at"] = last_promise + interval
    await _write(tx, connected, **following)
    return Turn(turn)


def interval_of(connected: ConnectedCarrier) -> timedelta:
    return timedelta(seconds=_MARGIN / connected.calls_per_second)


async def without_room(tx: Transaction, connected: ConnectedCarrier, now: datetime) -> NotYet | None:
    """Asked once more by whoever has a turn, because others have taken theirs meanwhile."""
    if connected.concurrent_calls is None:
        return None
    await tx.execute(_HOLD, {"account": connected.account, "now": now})
    return None if await has_room(tx, connected) else NotYet(now + _ASK_AGAIN_ABOUT_ROOM, None)


async def has_room(tx: Transaction, connected: ConnectedCarrier) -> bool:
    most = connected.concurrent_calls
    return most is None or await store.live_on_account(tx, connected.account) < most


async def slow_down(tx: Transaction, connected: ConnectedCarrier, until: datetime) -> None:
    """The carrier says that it is too much: nobody's turn comes before then."""
    adding = insert(dial_pace).values(account=connected.account, next_at=until, promised_at=until)
    later = {name: sa.func.greatest(dial_pace.c[name], adding.excluded[name]) for name in ("next_at", "promised_at")}
    await tx.execute(adding.on_conflict_do_update(index_elements=[dial_pace.c.account], set_=later))


async def _write(tx: Transaction, connected: ConnectedCarrier, **values: datetime) -> None:
    await tx.execute(dial_pace.update().where(dial_pace.c.account == connected.account).values(**values))

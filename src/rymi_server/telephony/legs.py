"""Moves legs on, and the people on them: what carriers report, what the gateway sees, and what dialing comes to.

The call is locked first, then the leg. Everything may be told twice and in any order.
"""

from datetime import datetime
from typing import Any

from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call, LeaveReason
from rymi_server.calls.transitions import participant_failed, participant_joined, participant_left, phone_rings
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import LegId
from rymi_server.telephony import store
from rymi_server.telephony.carriers.carrier import AnsweredBy, LegReport
from rymi_server.telephony.hang_up import enqueue_hang_up
from rymi_server.telephony.lifecycle import advance, is_about
from rymi_server.telephony.models import Leg, LegReason, LegStatus

_WHY = {
    LegReason.NO_CARRIER: "no carrier is connected",
    LegReason.DO_NOT_CALL: "the number is on the Do-Not-Call list",
    LegReason.CALL_ENDED: "the call had ended before it was dialed",
    LegReason.CARRIER_REFUSED: "the carrier refused the call",
    LegReason.CARRIER_UNREACHABLE: "the carrier could not be reached",
    LegReason.OUTCOME_UNKNOWN: "dialing was interrupted and the carrier knows no such call",
    LegReason.NO_MEDIA: "it was answered and no audio came",
    LegReason.BUSY: "busy",
    LegReason.NO_ANSWER: "no answer",
    LegReason.CANCELED: "it was canceled",
    LegReason.REJECTED: "the call was rejected",
    LegReason.INVALID_NUMBER: "the number does not exist",
    LegReason.SPAM_BLOCKED: "it was blocked as spam",
    LegReason.MACHINE: "a machine answered",
    LegReason.CARRIER: "the carrier could not connect it",
}
_VERDICTS = {
    AnsweredBy.HUMAN: "A person answered",
    AnsweredBy.MACHINE: "An answering machine answered",
    AnsweredBy.UNKNOWN: "It is not known whether a person answered",
}


async def reported(tx: Transaction, leg_id: LegId, report: LegReport, now: datetime) -> bool:
    """Take in what a carrier says of a leg. False where it is about something else, such as the call's socket."""
    found = await store.lock_with_call(tx, leg_id)
    if found is None or not is_about(found[1], report):
        return False
    call, leg = found
    change = advance(leg, report, now)
    await store.change(tx, leg.id, **change.values)
    if "answered_by" in change.values:
        await record(tx, call.id, Source.TELEPHONY, _VERDICTS[change.values["answered_by"]], now)
    await _follow(tx, call, leg, change.reached, change.values, now)
    return True


async def bridged(tx: Transaction, leg_id: LegId, now: datetime) -> bool:
    """The phone's audio is in the room. False where the leg or its call is over, so that it must leave again.

    A carrier opens the socket only of a call that was answered, however late it says so.
    """
    found = await store.lock_with_call(tx, leg_id)
    if found is None or found[1].is_over or found[0].status in OVER:
        return False
    call, leg = found
    values: dict[str, Any] = {"status": LegStatus.IN_PROGRESS, "media_ended_at": None}
    values |= {} if leg.answered_at else {"answered_at": now}
    values |= {} if leg.bridged_at else {"bridged_at": now}
    await store.change(tx, leg.id, **values)
    if leg.bridged_at is None:
        await record(tx, call.id, Source.LIFECYCLE, "PSTN leg connected", now)
    await participant_joined(tx, call, leg.participant_id, now)
    return True


async def media_ended(tx: Transaction, leg_id: LegId, now: datetime) -> None:
    """The phone's audio has stopped for good. The participant leaves, and the carrier is told to hang up.

    The carrier says only later that the call is over, up to 20 s; nobody waits for that.
    """
    found = await store.lock_with_call(tx, leg_id)
    if found is None or found[1].media_ended_at:
        return
    call, leg = found
    await store.change(tx, leg.id, media_ended_at=now)
    await enqueue_hang_up(tx, leg)
    reason = LeaveReason.TRANSFERRED if leg.transferred_to else LeaveReason.HUNG_UP
    await participant_left(tx, call, leg.participant_id, reason, now)


async def failed(tx: Transaction, leg_id: LegId, reason: LegReason, now: datetime, cause: str | None = None) -> bool:
    """The leg came to nothing. Whether that is news."""
    found = await store.lock_with_call(tx, leg_id)
    if found is None or not await store.fail(tx, leg_id, reason, now, cause):
        return False
    call, leg = found
    await _tell_failure(tx, call, leg, reason, cause, now)
    return True


async def _follow(
    tx: Transaction, call: Call, leg: Leg, reached: LegStatus | None, values: dict[str, Any], now: datetime
) -> None:
    """What a leg's new status means for its participant and its call."""
    if reached is LegStatus.RINGING:
        await record(tx, call.id, Source.TELEPHONY, "PSTN leg is ringing", now)
        await phone_rings(tx, call, leg.participant_id)
    elif reached is LegStatus.IN_PROGRESS:
        await record(tx, call.id, Source.TELEPHONY, "PSTN leg answered", now)
        await phone_rings(tx, call, leg.participant_id)
    elif reached is LegStatus.COMPLETED:
        await record(tx, call.id, Source.TELEPHONY, "PSTN leg ended", now)
        if leg.bridged_at:
            await participant_left(tx, call, leg.participant_id, LeaveReason.HUNG_UP, now)
        else:
            await _tell_failure(tx, call, leg, LegReason.NO_MEDIA, None, now)
    elif reached is LegStatus.FAILED:
        await _tell_failure(tx, call, leg, values["reason"], values.get("cause"), now)
    # Somebody ended the call while the carrier was still at it.
    if call.status in OVER and reached in (LegStatus.RINGING, LegStatus.IN_PROGRESS):
        await enqueue_hang_up(tx, leg)


async def _tell_failure(
    tx: Transaction, call: Call, leg: Leg, reason: LegReason, cause: str | None, now: datetime
) -> None:
    said = f"PSTN leg failed: {_WHY[reason]}"
    await record(tx, call.id, Source.TELEPHONY, f"{said} ({cause})" if cause else said, now, Level.WARNING)
    if leg.bridged_at:
        await participant_left(tx, call, leg.participant_id, LeaveReason.CONNECTION_LOST, now)
    else:
        await participant_failed(tx, call, leg.participant_id, LeaveReason.DIALING_FAILED, now)

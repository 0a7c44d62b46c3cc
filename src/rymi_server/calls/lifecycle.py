"""How a call lives. Values in, values out: no clock, no database."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rymi_server.calls.models import CallStatus, Participant, ParticipantStatus, Role, Transport

GONE = frozenset({ParticipantStatus.LEFT, ParticipantStatus.FAILED})
OVER = frozenset({CallStatus.COMPLETED, CallStatus.FAILED})
LIVE = tuple(status for status in CallStatus if status not in OVER)


def status_on_create(transports: Sequence[Transport]) -> CallStatus:
    """A browser can come in at once; a call of phones alone waits until one is dialed."""
    return CallStatus.CONNECTING if Transport.WEBRTC in transports else CallStatus.QUEUED


def is_over(participants: Sequence[Participant]) -> bool:
    """A call is over once everyone but the agent has left or failed.

    A human who is still rung for a transfer comes to somebody. Once there is nobody, it is over as well.
    """
    people = [p for p in participants if p.role is not Role.AGENT]
    here = [p for p in people if p.status not in GONE]
    if any(_is_rung_for_transfer(p) for p in here):
        return not somebody_to_put_through(here)
    return bool(people) and not here


def somebody_to_put_through(participants: Iterable[Participant]) -> bool:
    """Whether a human would find anybody to talk with, who is in the call or expected. Observers do not talk."""
    talking = [p for p in participants if p.role is Role.CUSTOMER and p.status not in GONE]
    return any(not _is_rung_for_transfer(p) for p in talking)


def final_status(participants: Sequence[Participant]) -> CallStatus:
    """A call that nobody ever got into has failed."""
    came_in = any(p.joined_at for p in participants if p.role is not Role.AGENT)
    return CallStatus.COMPLETED if came_in else CallStatus.FAILED


def connected_seconds(participants: Sequence[Participant], now: datetime) -> float | None:
    """From the first person in to the last one out; None where nobody came in."""
    people = [p for p in participants if p.role is not Role.AGENT and p.joined_at]
    if not people:
        return None
    first = min(p.joined_at for p in people if p.joined_at)
    last = max(p.left_at or now for p in people)
    return max(0.0, (last - first).total_seconds())


def _is_rung_for_transfer(participant: Participant) -> bool:
    return participant.transfer is not None and participant.joined_at is None

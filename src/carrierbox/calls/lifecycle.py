"""The states of a call and which may follow which. Pure; carriers translate these words into theirs."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in_progress"
    ENDED = "ended"


class Ending(StrEnum):
    """Why a call ended, seen from the phone network."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    CANCELED = "canceled"
    UNREACHABLE = "unreachable"
    MACHINE = "machine"
    TIME_LIMIT = "time_limit"
    ANSWER_URL_FAILED = "answer_url_failed"
    BAD_DOCUMENT = "bad_document"
    DOCUMENT_OVER = "document_over"


class EndedBy(StrEnum):
    """Whose act it was."""

    PARTY = "party"
    API = "api"
    CARRIER = "carrier"
    CONTROL = "control"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


_ORDER = (State.QUEUED, State.INITIATED, State.RINGING, State.IN_PROGRESS, State.ENDED)


class WrongState(Exception):
    """The call is in no state for this."""


def follows(now: State, then: State) -> bool:
    """A call only moves on, and an ended call stays ended. It may skip ringing: some phones pick up at once."""
    return _ORDER.index(then) > _ORDER.index(now)


def ending_for_hang_up(state: State) -> Ending:
    """Hanging up on a call that was never answered cancels it."""
    return Ending.COMPLETED if state is State.IN_PROGRESS else Ending.CANCELED

"""One call is one room, and its name says which; an attribute says which participant somebody in it is."""

from rymi_server.foundation.ids import CallId, is_uuid

PARTICIPANT_ATTRIBUTE = "rymi.participant_id"
_PREFIX = "call_"


def room_name(call_id: CallId) -> str:
    return f"{_PREFIX}{call_id}"


def call_of_room(name: str) -> CallId | None:
    """None for a room that is no call's."""
    rest = name.removeprefix(_PREFIX)
    return CallId(rest) if rest != name and is_uuid(rest) else None

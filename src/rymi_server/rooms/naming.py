"""One call is one room, and its name says which."""

from rymi_server.foundation.ids import CallId


def room_name(call_id: CallId) -> str:
    return f"call_{call_id}"

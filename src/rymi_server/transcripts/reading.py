"""A transcript as text that a person reads."""

from collections.abc import Sequence

from rymi_server.transcripts.models import Entry, Speaker


def as_text(entries: Sequence[Entry]) -> str:
    """`Caller: …` and `Agent: …`; callers are named once there are two of them to tell apart."""
    several = len({entry.identity for entry in entries if entry.speaker is Speaker.USER}) > 1
    return "\n".join(f"{_label(entry, several)}: {entry.text}" for entry in entries)


def _label(entry: Entry, several: bool) -> str:
    if entry.speaker is Speaker.AGENT:
        return "Agent"
    return f"Caller ({entry.identity})" if several and entry.identity else "Caller"

"""A transcript as turns that can be reasoned about: who spoke, and which answer belongs to which question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rymi_server.transcripts.models import Entry, Speaker

_LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Turn:
    sequence: int
    of_agent: bool
    identity: str | None
    text: str

    def evidence(self) -> dict[str, object]:
        quote = self.text.strip()
        return {
            "sequence": self.sequence,
            "quote": quote if len(quote) <= _LONGEST_QUOTE else f"{quote[:_LONGEST_QUOTE]}…",
        }


def turns_of(entries: Sequence[Entry]) -> list[Turn]:
    """What was said for good, without empty lines."""
    return [
        Turn(entry.sequence, entry.speaker is Speaker.AGENT, entry.identity, entry.text)
        for entry in entries
        if entry.is_final and entry.text.strip()
    ]


def by_people(turns: Sequence[Turn]) -> list[Turn]:
    return [turn for turn in turns if not turn.of_agent]


def exchanges(turns: Sequence[Turn]) -> Iterator[tuple[Turn, Turn]]:
    """Each thing that the agent said with what came right after it from a person."""
    for said, answered in pairwise(turns):
        if said.of_agent and not answered.of_agent:
            yield said, answered

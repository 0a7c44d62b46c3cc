"""What a caller says next: the lines that were given, or in the demo an answer to what the receptionist asks."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

# The words that the agent spoke last; None hangs up.
NextLine: TypeAlias = Callable[[str], str | None]

# The first that is asked for is answered. An agent that did not understand asks again, and is told again.
_ANSWERS = (
    ("is that right", "Yes, that is right."),
    ("anything else", "No, thank you."),
    ("call you back", "No, thank you."),
    ("your name", "My name is Anna."),
    ("what time", "At three o'clock."),
    ("which day", "On Friday."),
    ("what can we do", "I need a cleaning."),
    ("book an appointment", "Yes please."),
)
_MOST_TURNS = 14


def saying(lines: Sequence[str]) -> NextLine:
    """One after the other, whatever is asked."""
    left = list(lines)
    return lambda _: left.pop(0) if left else None


def booking() -> NextLine:
    """A patient of the demo's dental clinic. Of an agent whose questions mean nothing to it, it takes its leave."""
    turns = 0

    def answer(asked: str) -> str | None:
        nonlocal turns
        turns += 1
        if turns > _MOST_TURNS:
            return None
        found = [(asked.lower().rfind(question), says) for question, says in _ANSWERS if question in asked.lower()]
        return max(found)[1] if found else None

    return answer

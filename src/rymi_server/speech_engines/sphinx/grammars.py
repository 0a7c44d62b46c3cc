"""Grammars for what the agent has just asked, and when their answer is to be believed.

A grammar hears one of its sentences in anything, so the free recognition is asked first.
"""

from collections.abc import Sequence
from typing import Final

from rymi_server.speech_engines.promises import Expected
from rymi_server.speech_engines.sphinx.phrases import spelt

_DIGIT: Final = "<d>=zero|oh|one|two|three|four|five|six|seven|eight|nine;"
_DIGITS: Final = frozenset(["zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
_SOUND_LIKE_DIGITS: Final = _DIGITS | {"to", "too", "for", "four", "ate", "won", "sex", "double", "triple", "hundred"}
_YES_NO: Final = (
    "public <p>=yes [please|sure]|yeah [sure]|sure|okay|that is right|correct|no [thanks|thank you]|nope|not really"
    "|stop|hello|sorry|what;"
)
_MOST_WORDS_OF_AN_ANSWER: Final = 3
_LEAST_DIGITS: Final = 4
_MOST_DIGITS: Final = 20


def grammar_for(expected: Expected | None) -> str | None:
    """In JSGF; None where a grammar would not help."""
    rules = _rules(expected) if expected else None
    return f"#JSGF V1.0; grammar asked; {rules}" if rules else None


def is_believable(expected: Expected, freely: Sequence[str], by_grammar: Sequence[str]) -> bool:
    """Whether what the grammar heard is to replace what was recognised without it."""
    if not by_grammar or not freely:
        return False
    if expected.kind in ("phone", "digits"):
        alike = sum(word in _SOUND_LIKE_DIGITS for word in freely)
        return alike >= min(_LEAST_DIGITS, expected.digits or _LEAST_DIGITS) or alike * 2 > len(freely)
    longest = max((len(spelt(choice).split()) for choice in expected.choices), default=0)
    return len(freely) <= max(_MOST_WORDS_OF_AN_ANSWER, longest + 1)


def _rules(expected: Expected) -> str | None:
    if expected.kind == "yes_no":
        return _YES_NO
    if expected.kind == "phone":
        seven, three = " ".join(["<d>"] * 7), " ".join(["<d>"] * 3)
        return f"{_DIGIT} public <p>=[my number is|it is|yes] {seven} [{three}];"
    if expected.kind == "digits" and expected.digits and expected.digits <= _MOST_DIGITS:
        return f"{_DIGIT} public <p>=[it is|yes] {' '.join(['<d>'] * expected.digits)};"
    if expected.kind == "choice":
        choices = sorted({line for line in map(spelt, expected.choices) if line})
        return f"public <p>=[the|i want|i take] ({'|'.join(choices)}) [please];" if choices else None
    return None

"""Which of the words that were recognised are to be believed, and whether anything was said at all."""

from collections.abc import Sequence
from typing import Final

from rymi_server.speech_engines.promises import Word

_LEAST: Final = 0.3
# A cough or a click often comes out as one of these.
_LITTLE_WORDS: Final = frozenset(
    ["the", "a", "an", "and", "of", "to", "in", "it", "if", "is", "i", "or", "at", "on", "for", "but", "as", "uh", "um"]
)
# With the silence after it, which the recogniser counts in.
_SHORTEST_WORD_MS: Final = 800


def believable(words: Sequence[Word]) -> tuple[Word, ...]:
    """Without those of low confidence; none at all where one little word is left, and it was short."""
    left = tuple(word for word in words if word.confidence is None or word.confidence >= _LEAST)
    if len(left) == 1 and left[0].text in _LITTLE_WORDS and _length_ms(left[0]) < _SHORTEST_WORD_MS:
        return ()
    return left


def overall(words: Sequence[Word]) -> float | None:
    known = [word.confidence for word in words if word.confidence is not None]
    return round(sum(known) / len(known), 3) if known else None


def _length_ms(word: Word) -> int:
    return (word.ended_at_ms or 0) - (word.started_at_ms or 0)

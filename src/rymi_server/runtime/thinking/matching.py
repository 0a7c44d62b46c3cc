"""Which entry of a playbook somebody speaks of, decided by words alone.

Two measures are blended: how much of the meaning-bearing words of question and example agree, rare words counting for
more, and how alike the letters are, which forgives what a recogniser mishears. The thresholds were found on paraphrases
and out-of-scope sentences, where they gave no wrong answer; below them it is better to ask back.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rymi_server.foundation.spoken.words import meanings, trigrams

SURE = 0.50
PERHAPS = 0.40
CLEARLY_AHEAD = 0.10
_SHARE_OF_WORDS = 0.65
_WEIGHT_OF_UNKNOWN = 0.6


@dataclass(frozen=True, slots=True)
class Scored:
    key: str
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """`best` alone is the answer; with `other` it is one of two; neither means that nothing fits."""

    best: Scored | None = None
    other: Scored | None = None
    sure: bool = False


@dataclass(frozen=True, slots=True)
class _Example:
    key: str
    words: frozenset[str]
    letters: Mapping[str, int]


class Matcher:
    def __init__(self, phrases: Mapping[str, Sequence[str]]) -> None:
        """`phrases` holds examples of what somebody may say, by the key of what it is about."""
        self._examples = [
            _Example(key, frozenset(meanings(phrase)), trigrams(phrase))
            for key, said in phrases.items()
            for phrase in said
        ]
        many = len(self._examples)
        words = Counter(word for example in self._examples for word in example.words)
        letters = Counter(three for example in self._examples for three in example.letters)
        self._rarity = {word: math.log(1 + (many - count + 0.5) / (count + 0.5)) for word, count in words.items()}
        self._rarity_of_unknown = _WEIGHT_OF_UNKNOWN * math.log(1 + (many + 0.5) / 0.5)
        self._weights = {three: math.log((many + 1) / (count + 0.5)) for three, count in letters.items()}
        self._lengths = [self._length(example.letters) for example in self._examples]

    def scores(self, text: str) -> list[Scored]:
        """Every entry that has something in common with `text`, the likeliest first."""
        asked, letters = frozenset(meanings(text)), trigrams(text)
        asked_weight = sum(self._rarity.get(word, self._rarity_of_unknown) for word in asked) or 1.0
        length = self._length(letters)
        best: dict[str, float] = {}
        for example, example_length in zip(self._examples, self._lengths, strict=True):
            blend = _SHARE_OF_WORDS * self._in_words(asked, asked_weight, example) + (
                1 - _SHARE_OF_WORDS
            ) * self._in_letters(letters, length, example, example_length)
            if blend > best.get(example.key, 0.0):
                best[example.key] = blend
        return sorted((Scored(key, score) for key, score in best.items()), key=lambda each: -each.score)

    def match(self, text: str, among: Collection[str] | None = None) -> Match:
        return verdict([each for each in self.scores(text) if among is None or each.key in among])

    def _in_words(self, asked: frozenset[str], asked_weight: float, example: _Example) -> float:
        hit = sum(self._rarity[word] for word in asked & example.words)
        covered = hit / asked_weight
        recalled = hit / (sum(self._rarity[word] for word in example.words) or 1.0)
        if len(asked) == 1:
            # One word is covered by everything that it stands in.
            return math.sqrt(covered * recalled)
        return 0.75 * max(covered, recalled) + 0.25 * min(covered, recalled)

    def _in_letters(self, letters: Mapping[str, int], length: float, example: _Example, example_length: float) -> float:
        alike = sum(
            count * example.letters[three] * self._weights[three] ** 2
            for three, count in letters.items()
            if three in example.letters
        )
        return alike / (length * example_length)

    def _length(self, letters: Mapping[str, int]) -> float:
        squares = sum((count * self._weights.get(three, 1.0)) ** 2 for three, count in letters.items())
        return math.sqrt(squares) or 1.0


def verdict(scored: Sequence[Scored]) -> Match:
    """What the scores allow to be said, the likeliest first."""
    if not scored or scored[0].score < PERHAPS:
        return Match()
    best, *others = scored
    other = (
        others[0] if others and best.score - others[0].score < CLEARLY_AHEAD and others[0].score >= PERHAPS else None
    )
    return Match(best, other, sure=best.score >= SURE and other is None)

"""A small trigram of what an agent's callers may say, mixed with how common words are anyway. Pure."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Final

_OWN_SHARE: Final = 0.7  # of a word pair, against the single word
_OWN_WORDS: Final = 0.5  # of a single word, against the language at large
_DISCOUNT: Final = 0.5
_LEAST: Final = 1e-10

Gram = tuple[str, ...]
Chances = dict[Gram, float]


def arpa(lines: Iterable[str], generally: Mapping[str, float]) -> str:
    """The model in the ARPA format. `generally` has every word that may be heard, those of `lines` too."""
    singles, pairs, triples = _counts(lines)
    one = _unigrams(singles, generally)
    two, _ = _interpolated(pairs, lambda gram: one.get(gram[1:], 1e-9))
    three, _ = _interpolated(triples, lambda gram: two[gram[1:]])
    back_one = _back_off(two, lambda gram: one.get(gram[1:], 1e-9))
    back_two = _back_off(three, lambda gram: two[gram[1:]])
    out = [f"\\data\\\nngram 1={len(one) + 1}\nngram 2={len(two)}\nngram 3={len(three)}\n\n\\1-grams:"]
    out.append(f"-99 <s> {_log(back_one.get(('<s>',), 1)):.4f}")
    out += [f"{_log(one[gram]):.4f} {gram[0]} {_log(back_one.get(gram, 1)):.4f}" for gram in sorted(one)]
    out.append("\n\\2-grams:")
    out += [f"{_log(two[gram]):.4f} {' '.join(gram)} {_log(back_two.get(gram, 1)):.4f}" for gram in sorted(two)]
    out.append("\n\\3-grams:")
    out += [f"{_log(three[gram]):.4f} {' '.join(gram)}" for gram in sorted(three)]
    return "\n".join([*out, "\n\\end\\\n"])


def _counts(lines: Iterable[str]) -> tuple[Counter[Gram], Counter[Gram], Counter[Gram]]:
    singles, pairs, triples = Counter[Gram](), Counter[Gram](), Counter[Gram]()
    for line in lines:
        words = ["<s>", *line.split(), "</s>"]
        singles.update((word,) for word in words)
        pairs.update(pairwise(words))
        triples.update(zip(words, words[1:], words[2:], strict=False))
    return singles, pairs, triples


def _unigrams(singles: Counter[Gram], generally: Mapping[str, float]) -> Chances:
    seen = sum(count for gram, count in singles.items() if gram != ("<s>",))
    total = sum(generally.values())
    mixed = {
        (word,): _OWN_WORDS * singles.get((word,), 0) / seen + (1 - _OWN_WORDS) * chance / total
        for word, chance in generally.items()
    }
    whole = sum(mixed.values())
    return {gram: chance / whole for gram, chance in mixed.items()}


def _interpolated(counts: Counter[Gram], lower: Callable[[Gram], float]) -> tuple[Chances, dict[Gram, float]]:
    """Absolute discounting; what it leaves goes to the shorter gram."""
    total, kinds = Counter[Gram](), Counter[Gram]()
    for gram, count in counts.items():
        total[gram[:-1]] += count
        kinds[gram[:-1]] += 1
    left = {history: 1 - _OWN_SHARE * (1 - _DISCOUNT * kinds[history] / total[history]) for history in total}
    chances = {
        gram: _OWN_SHARE * (count - _DISCOUNT) / total[gram[:-1]] + left[gram[:-1]] * lower(gram)
        for gram, count in counts.items()
    }
    return chances, left


def _back_off(listed: Chances, lower: Callable[[Gram], float]) -> dict[Gram, float]:
    """So that a history's listed grams and those that are backed off to make 1 together."""
    said, instead = defaultdict[Gram, float](float), defaultdict[Gram, float](float)
    for gram, chance in listed.items():
        said[gram[:-1]] += chance
        instead[gram[:-1]] += lower(gram)
    return {gram: max(1e-6, 1 - said[gram]) / max(1e-6, 1 - instead[gram]) for gram in said}


def _log(chance: float) -> float:
    return math.log10(max(chance, _LEAST))

"""What an agent must not say: topics that are off limits, and claims that it may not make.

Decided by words, so it holds for any model and for the playbook alike. It is strict rather than clever: a sentence that
says a claim in other words of the same meaning is found, one that only hints at it is not; the prompt is told, too.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rymi_server.foundation.spoken.numbers import quantities, with_numbers
from rymi_server.foundation.spoken.words import STOP_WORDS, stem
from rymi_server.runtime.thinking.reading import mapping, texts

OFF_LIMITS = "off_limits_topic"
PROHIBITED = "prohibited_claim"
INSTEAD = {
    OFF_LIMITS: "I am afraid that is nothing I can talk about.",
    PROHIBITED: "I cannot promise anything there. A colleague can tell you exactly.",
}

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u0501\u043a\u043c\u0442\u043d\u0432\u03b1\u03b5\u03bf\u03c1\u03bd\u03b9\u03ba\u03c4\u03c5\u0131\u0261",
    "aeopcxyijsdkmthbaeopvikt" + "uig",
)
_AS_LETTERS = str.maketrans("013457@$!|", "oieastasil")
_SPELLED = re.compile(r"\b(?:[a-z][\s.\-_*]+){3,}[a-z]\b")
_WITHIN_A_WORD = re.compile(r"(?<=[a-z])[\-_*~'`.\u2019]+(?=[a-z])")
_CONTRACTED = (
    (re.compile(r"can['\u2019]?t\b|cannot"), "can not"),
    (re.compile(r"won['\u2019]t\b"), "will not"),
    (re.compile(r"n['\u2019]t\b"), " not"),
)

_SAME = {
    "guarante": "promise assure ensure certain certainly surely definitely guaranty warrant pledge swear",
    "cure": "heal heals remedy",
    "risk": "danger dangerous risky",
    "profit": "return yield gain earning",
    "alway": "every everytime constantly invariably",
    "best": "finest greatest top leading unrivalled unbeatable",
    "cheap": "lowest cheapest",
    "free": "gratis complimentary",
    "instant": "immediate immediately instantly",
    "refund": "reimburse moneyback",
    "doctor": "physician medic",
    "approv": "accept accepted",
}
_KINDRED = {
    "politic": "election vote voter president republican democrat parliament senator congress minister referendum",
    "religion": "god church bible quran christian muslim islam jewish hindu buddhist pray prayer atheist faith",
    "medical": "diagnosis diagnose dosage prescription prescribe symptom antibiotic ibuprofen aspirin paracetamol",
    "legal": "lawsuit sue attorney lawyer liable liability court",
    "invest": "stock bitcoin crypto shares portfolio etf bond",
    "sex": "sexual porn erotic nude",
    "violence": "weapon gun bomb murder kill",
    "drug": "cocaine heroin cannabis marijuana meth",
    "competitor": "competition rival",
}
_MEANS = {stem(word): meaning for meaning, words in _SAME.items() for word in (*words.split(), meaning)}
_VAGUE = frozenset(
    stem(w) for w in ("advice", "topic", "matter", "issue", "question", "talk", "discussion", "anything", "information")
)
_NEGATIONS = frozenset(
    ["not", "never", "no", "cannot", "without", "nothing", "nobody", "none", "neither", "nor", "unable", "impossible"]
)
# `No doubt`, `not only`, `not a lie` deny nothing.
_EMPTY_NEGATION = re.compile(
    r"\b(?:no|without|not a|not any|not) (?:doubt|question|lie|joke|secret|exaggeration|only|just|merely|simply|"
    r"kidding|joking|lying|"
    r"wonder|less than|problem|worries)\b"
)
_KEPT = frozenset(["you", "your", "we", "our", "will", "can", "always", "never", "no", "not", "all", "every", "free"])
_REACH = 8
_BEFORE = 4
_SHORTEST_PREFIX = 5
_MOSTLY = 0.75
_LONGEST_PREVIOUS = 200


@dataclass(frozen=True, slots=True)
class Breach:
    kind: str
    rule: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What may be said, and what was wrong with what was to be said."""

    text: str
    breach: Breach | None = None


class Guardrails:
    def __init__(self, topics: Sequence[str] = (), claims: Sequence[str] = ()) -> None:
        self._topics = [(topic, _topic_words(topic)) for topic in topics]
        self._claims = [(claim, tuple(_claim_words(claim)), _negations(_clear(claim))) for claim in claims]

    @classmethod
    def for_agent(cls, agent: Mapping[str, Any]) -> "Guardrails":
        advanced = mapping(agent, "advanced")
        return cls(texts(advanced.get("offLimitsTopics")), texts(advanced.get("prohibitedClaims")))

    def __bool__(self) -> bool:
        return bool(self._topics or self._claims)

    def check(self, sentence: str, before: str = "") -> Checked:
        """`before` is what was said right before it: a claim may be spread over two sentences."""
        breach = self.breach(sentence, before)
        return Checked(INSTEAD[breach.kind], breach) if breach else Checked(sentence)

    def breach(self, sentence: str, before: str = "") -> Breach | None:
        if not self:
            return None
        clear = _clear(sentence)
        if topic := self._off_limits(clear):
            return Breach(OFF_LIMITS, topic)
        spread = f"{_clear(before[-_LONGEST_PREVIOUS:])} {clear}" if before else clear
        claim = self._claimed(clear) or (
            self._claimed(spread) if before and not self._claimed(_clear(before)) else None
        )
        return Breach(PROHIBITED, claim) if claim else None

    def off_limits(self, text: str) -> str | None:
        """The topic that `text` is about and that must not be talked of."""
        return self._off_limits(_clear(text)) if self._topics else None

    def _off_limits(self, clear: str) -> str | None:
        said = [stem(word) for word in clear.split()]
        for topic, (own, kindred) in self._topics:
            found = sum(any(_alike(word, each) for each in said) for word in own)
            if (own and found >= max(1, round(_MOSTLY * len(own)))) or any(
                _alike(w, each) for w in kindred for each in said
            ):
                return topic
        return None

    def _claimed(self, clear: str) -> str | None:
        words = clear.split()
        said = [_meaning(word) for word in words]
        for claim, wanted, negations in self._claims:
            if wanted and (span := _span(said, wanted)) is not None:
                around = " ".join(words[max(0, span[0] - _BEFORE) : span[1] + 1])
                # Said with one negation more or less than the claim itself has, it is denied.
                if (_negations(around) - negations) % 2 == 0:
                    return claim
        return None


def _span(said: Sequence[str], wanted: Sequence[str]) -> tuple[int, int] | None:
    """Where enough of a claim's words stand close together."""
    need = len(wanted) if len(wanted) < 3 else max(2, round(_MOSTLY * len(wanted)))
    places = [index for index, word in enumerate(said) if any(_alike(each, word) for each in wanted)]
    for first, start in enumerate(places):
        near = [place for place in places[first:] if place - start <= len(wanted) + _REACH]
        if len({each for each in wanted for place in near if _alike(each, said[place])}) >= need:
            return start, near[-1]
    return None


def _alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _SHORTEST_PREFIX and longer.startswith(shorter)


def _meaning(word: str) -> str:
    return _MEANS.get(stem(word), stem(word))


def _claim_words(claim: str) -> Iterator[str]:
    words = _clear(claim).split()
    kept = [word for word in words if word not in STOP_WORDS and word not in _NEGATIONS]
    yield from dict.fromkeys(_meaning(word) for word in kept or words)


def _topic_words(topic: str) -> tuple[frozenset[str], frozenset[str]]:
    stems = {stem(word) for word in _clear(topic).split() if word not in STOP_WORDS}
    own = frozenset(stems - _VAGUE) or frozenset(stems)
    kindred = {
        stem(word)
        for key, words in _KINDRED.items()
        if any(_alike(key, each) for each in own)
        for word in words.split()
    }
    return own, frozenset(kindred)


def _negations(clear: str) -> int:
    words = _EMPTY_NEGATION.sub(" ", clear).split()
    return sum(word in _NEGATIONS for word in words)


def _clear(text: str) -> str:
    """What an ear would hear of it: no disguise by look-alike letters, digits, invisible signs or spelling."""
    text = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text)).casefold()
    text = "".join(c for c in text if not unicodedata.combining(c)).translate(_LOOKALIKES)
    for pattern, words in _CONTRACTED:
        text = pattern.sub(words, text)
    text = re.sub(r"\S+", lambda word: _letters(word[0]), text)
    text = _SPELLED.sub(lambda match: re.sub(r"[^a-z]", "", match[0]), text)
    heard = with_numbers(_WITHIN_A_WORD.sub("", text))
    for quantity in reversed(list(quantities(heard))):
        heard[quantity.first : quantity.end] = [f"{quantity.value:g}"]
    return " ".join(heard)


def _letters(word: str) -> str:
    """`gu4r4nteed` as it is meant; `4pm` and `b2b` stay."""
    inner = word.strip(".,;:!?\"')(")
    if (
        len(inner) > 4
        and sum(c.isalpha() for c in inner) > sum(c.isdigit() for c in inner)
        and re.search(r"[a-z][013457@$!|]+[a-z]", inner)
    ):
        return word.replace(inner, inner.translate(_AS_LETTERS))
    return word

"""A sentence as the words that carry its meaning, so that two ways of saying the same thing look alike."""

import re
from collections import Counter

_CONTRACTIONS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\bcan't\b|\bcannot\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\blet's\b", "let us"),
        (r"\b(what|where|who|when|how|it|that|there|here|he|she)'s\b", r"\1 is"),
        (r"\bi'm\b", "i am"),
        (r"n't\b", " not"),
        (r"'re\b", " are"),
        (r"'ve\b", " have"),
        (r"'ll\b", " will"),
        (r"'d\b", " would"),
        (r"'s\b", ""),
        (r"\bgonna\b", "going to"),
        (r"\bwanna\b", "want to"),
        (r"\bcheck[ -]ups?\b", "checkup"),
        (r"\be-mail\b", "email"),
        (r"\bper cent\b", "percent"),
        (r"\bok\b", "okay"),
        (r"\bp\.\s?m\b\.?", "pm"),
        (r"\ba\.\s?m\b\.?", "am"),
    )
)
_NO_WORD = re.compile(r"[^\w ]+|_")

STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "for",
        "in",
        "on",
        "at",
        "is",
        "are",
        "was",
        "be",
        "been",
        "am",
        "i",
        "me",
        "my",
        "we",
        "our",
        "us",
        "you",
        "your",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "do",
        "does",
        "did",
        "can",
        "could",
        "will",
        "would",
        "shall",
        "may",
        "might",
        "please",
        "so",
        "and",
        "or",
        "but",
        "with",
        "there",
        "here",
        "have",
        "has",
        "had",
        "just",
        "get",
        "got",
        "any",
        "some",
        "if",
        "then",
        "than",
        "as",
        "by",
        "from",
        "up",
        "about",
        "also",
        "really",
        "very",
        "um",
        "uh",
        "er",
        "hmm",
        "well",
        "okay",
        "hi",
        "hello",
        "hey",
        "yeah",
        "yes",
        "no",
        "not",
        "want",
        "need",
        "like",
        "know",
        "tell",
        "say",
        "said",
        "ask",
        "asks",
        "asked",
        "caller",
        "customer",
        "person's",
        "when",
        "what",
        "which",
        "who",
        "how",
        "much",
        "many",
        "let",
        "too",
        "what's",
        "into",
        "out",
        "them",
        "they",
        "their",
        "he",
        "she",
        "him",
        "her",
    ]
)

_SAME = {
    "cost": "price prices fee fees charge charges charged pricing costs cheap cheaper pay payment money dollars rate",
    "expens": "expensive pricey costly afford unaffordable",
    "address": "located location where find directions street place",
    "child": "kid kids children son daughter baby toddler",
    "human": "person someone somebody operator manager agent representative people colleague receptionist",
    "open": "hours opening close closed closing opens closes",
    "appoint": "book booking booked appointment appointments schedule scheduling visit slot reservation reserve",
    "cancel": "cancelling cancelled canceled reschedule move moved postpone change",
    "parking": "park car cars garage",
    "pain": "toothache hurt hurts hurting ache aches painful emergency urgent swollen bleeding bleeds",
    "ai": "robot bot machine computer",
    "duration": "long takes minutes",
    "email": "mail emails",
    "insurance": "insured insurances insurer coverage cover covered",
    "afraid": "scared fear nervous anxious frightened terrified anxiety",
    "think": "consider decide sleep",
    "time": "busy",
}
_SYNONYMS = {word: meaning for meaning, words in _SAME.items() for word in words.split()}
_ENDINGS = ("ingly", "edly", "ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s")
_SHORTEST_STEM = 3


def normal(text: str) -> list[str]:
    """Lower case, contractions taken apart, no punctuation."""
    text = text.lower().replace("\u2019", "'").replace("`", "'")
    for pattern, words in _CONTRACTIONS:
        text = pattern.sub(words, text)
    return _NO_WORD.sub(" ", text).split()


def plain(text: str) -> str:
    return " ".join(normal(text))


def stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word[: -len(ending)]
            break
    return word[:-1] if len(word) > _SHORTEST_STEM + 1 and word.endswith("e") else word


def meanings(text: str, *, synonyms: bool = True) -> list[str]:
    """Stems of the words that carry meaning, like words made one; of a sentence without any, all stems."""
    words = normal(text)
    kept = [word for word in words if word not in STOP_WORDS or (synonyms and word in _SYNONYMS)]
    return [_SYNONYMS.get(word, stem(word)) if synonyms else stem(word) for word in kept] or [stem(w) for w in words]


def trigrams(text: str) -> Counter[str]:
    spaced = f" {plain(text)} "
    return Counter(spaced[i : i + 3] for i in range(len(spaced) - 2))

"""People's names and mail addresses, as they are said."""

import re

from rymi_server.foundation.spoken.words import STOP_WORDS

_INTRODUCED = re.compile(
    r"\b(?:my name is|my name's|the name is|the name's|name is|name's|this is|i am|i'm|im|it is|it's|call me|ask for|"
    r"speaking is)\s+((?:[^\W\d_][\w'-]*)(?:\s+[^\W\d_][\w'-]*){0,3})",
    re.IGNORECASE,
)
_NOT_NAMES = frozenset(
    [
        "calling",
        "interested",
        "sorry",
        "not",
        "busy",
        "looking",
        "happy",
        "fine",
        "good",
        "here",
        "a",
        "the",
        "very",
        "just",
        "from",
        "having",
        "going",
        "still",
        "trying",
        "in",
        "at",
        "on",
        "really",
        "about",
        "your",
        "you",
        "my",
        "wrong",
        "right",
        "correct",
        "okay",
        "because",
        "wondering",
        "afraid",
        "sure",
        "great",
        "that",
        "this",
        "too",
        "so",
        "expensive",
        "and",
        "speaking",
        "i",
        "please",
        "thanks",
        "thank",
        "what",
        "for",
        "with",
        "to",
        "an",
        "it",
        "is",
        "was",
        "we",
        "ready",
        "done",
        "back",
        "new",
        "nothing",
        "but",
        "driving",
        "working",
        "home",
        "all",
        "out",
        "always",
        "free",
        "available",
        "able",
        "only",
        "also",
        "now",
        "today",
        "tomorrow",
        "maybe",
        "like",
        "been",
        "late",
        "early",
        "old",
        "sick",
        "hurt",
        "pain",
        "calm",
        "scared",
        "nervous",
        "open",
        "tired",
        "used",
        "cheap",
        "possible",
        "perfect",
        "important",
        "urgent",
        "nice",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "morning",
        "afternoon",
        "evening",
        "noon",
        "me",
        "hurting",
        "bleeding",
        "getting",
        "making",
        "doing",
        "there",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "half",
        "quarter",
        "hello",
        "hi",
        "hey",
        "bye",
        "goodbye",
        "nobody",
        "none",
        *("it's", "i'm", "that's", "there's", "i've", "i'd", "don't", "what's", "let's"),
        "private",
        "secret",
        "asking",
        "telling",
        "thinking",
        "talking",
        "waiting",
        "bleeding",
        "customer",
        "patient",
        "client",
        "person",
    ]
)
_NOT_IN_AN_ANSWER = (
    _NOT_NAMES
    | (STOP_WORDS - {"will"})
    | frozenset(
        [
            "yes",
            "yeah",
            "sure",
            "okay",
            "well",
            "um",
            "uh",
            "no",
            "nope",
            "why",
            "how",
            "who",
            "when",
            "where",
            "which",
            "can",
            "could",
            "do",
            "does",
            "would",
            "is",
            "are",
            "want",
            "have",
            "need",
            "name",
            "know",
            "say",
            "told",
            "give",
            "tell",
            "question",
            "wait",
            "stop",
            "moment",
            "second",
            "sorry",
            "repeat",
            "again",
            "pardon",
            "excuse",
            "cost",
            "price",
            "appointment",
            "talk",
            "human",
            "robot",
            "cleaning",
            "checkup",
            "ask",
            "asked",
            "whatever",
            "don't",
            "doesn't",
            "can't",
            "won't",
        ]
    )
)
_MOST_NAMES = 4
_WRITTEN_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_SPOKEN_MAIL = re.compile(
    r"\b([a-z0-9]{1,64}(?:\s(?:dot|underscore|dash|hyphen|plus)\s[a-z0-9]{1,64}){0,6})\s{1,3}at\s{1,3}"
    r"([a-z0-9-]{1,63}(?:\s[a-z0-9-]{1,63})?(?:\s?(?:dot\s|\.)[a-z0-9-]{1,63}){1,3})\b"
)
_SIGNS = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "plus": "+"}


def name(text: str, *, asked: bool = False) -> str | None:
    """A name that somebody introduced, or, where it was asked for, an answer that can be nothing else."""
    for match in _INTRODUCED.finditer(text):
        words: list[str] = []
        for word in match[1].split():
            if word.lower().strip("'-") in _NOT_NAMES:
                break
            words.append(word)
        if words:
            return _written(words)
    return _bare(text) if asked else None


def _bare(text: str) -> str | None:
    words = re.sub(r"[^\w' -]|\d", " ", text).split()
    while words and words[0].lower() in {"um", "uh", "well", "yes", "yeah", "sure", "okay", "ok", "oh", "of", "course"}:
        words.pop(0)
    while words and words[-1].lower() in {"please", "thanks", "speaking", "here", "sir", "madam"}:
        words.pop()
    if 1 <= len(words) <= _MOST_NAMES and not any(word.lower() in _NOT_IN_AN_ANSWER for word in words):
        return _written(words)
    return None


def _written(words: list[str]) -> str:
    return " ".join(word if word[:1].isupper() and not word.isupper() else word.capitalize() for word in words)


def mail_address(text: str) -> str | None:
    """`john dot smith at example dot com`, or written."""
    if written := _WRITTEN_MAIL.search(text):
        return written[0].lower().rstrip(".-")
    if spoken := _SPOKEN_MAIL.search(re.sub(r"[,!?]", "", text.lower())):
        local = "".join(_SIGNS.get(word, word) for word in spoken[1].split())
        domain = re.sub(r"\s?dot\s", ".", spoken[2]).replace(" ", "")
        return f"{local}@{domain}"
    return None


def spoken_mail_address(address: str) -> str:
    """An address as it is read back."""
    local, _, domain = address.partition("@")
    signs = {sign: word for word, sign in reversed(_SIGNS.items())}
    return f"{_spelled(local, signs)} at {_spelled(domain, signs)}"


def _spelled(part: str, signs: dict[str, str]) -> str:
    return " ".join("".join(f" {signs[c]} " if c in signs else c for c in part).split())

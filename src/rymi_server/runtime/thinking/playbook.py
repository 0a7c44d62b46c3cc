"""A playbook as it was written, read into what can be followed: questions with the kind of answer they want, and
entries with what somebody says to reach them. Whatever is of the wrong shape is left out rather than failing a call.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from rymi_server.runtime.thinking.reading import mapping, mappings, text_of, texts
from rymi_server.runtime.thinking.templates import fill_all

KINDS = ("name", "phone", "email", "date", "time", "yes_no", "choice", "digits", "number", "text")
# Answered by a person's own mouth in a form that a recogniser easily gets wrong.
READ_BACK = frozenset({"phone", "email", "name", "digits"})
ANYTHING_ELSE = "Is there anything else I can do for you?"
FALLBACK = "Shall I ask a colleague to call you back?"
FAREWELL = "Thank you for calling. Goodbye!"

_KIND_WORDS = (
    ("phone", r"\b(phone|mobile|cell|telephone|call ?back number|number (to|we can) (call|reach))"),
    ("email", r"\be-?mail"),
    (
        "digits",
        r"\b(digits|pin|code|(order|customer|account|policy|invoice|booking|reference|member) ?(number|id|no))\b",
    ),
    ("number", r"\b(how many|number of|amount|budget|quantity|count|how much)\b"),
    ("time", r"\b(at what time|what time|time of day|a time|hour)\b"),
    ("date", r"\b(day|date|weekday|when)\b"),
    ("name", r"\b(your name|a name|full name|first name|last name|surname|name)\b"),
    ("yes_no", r"\b(yes or no|yes/no|yes no|true or false)\b"),
)
_ASKS_YES_OR_NO = re.compile(
    r"^(and |so )?(do|does|are|is|have|has|would|will|can|could|did|shall|may we)\b", re.IGNORECASE
)
_LIST = re.compile(r"\s*(?:,\s*(?:or\s+|and\s+)?|\s+or\s+|/|\|)\s*")
_CLUE = re.compile(
    r"^(if |when |whenever |once )?(the |a |an )?(caller|customer|person|user|prospect|patient|client|lead|they|"
    r"someone)"
    r"('s)?( (is|are|asks?|asking|says?|wants?|would like|mentions?|complains?|needs?|has|tells?|objects?|states?))*"
    r"( (about|for|that|if|whether|when|to|us))*\s+",
    re.IGNORECASE,
)
_MOST_PHRASES = 60


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slot:
    name: str
    kind: str
    question: str
    choices: tuple[Choice, ...] = ()
    digits: int | None = None
    earliest: time | None = None
    latest: time | None = None
    # Said where an answer is understood and not possible.
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to answer. `title` is how it is offered when it is unclear what was meant; a fact has none."""

    key: str
    phrases: tuple[str, ...]
    answer: str
    title: str = ""
    # What the conversation does after the answer: go on, wrap up, or get a person.
    then: str = "continue"
    fills: Mapping[str, str] = field(default_factory=dict)
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Playbook:
    opener: str = ""
    slots: tuple[Slot, ...] = ()
    entries: tuple[Entry, ...] = ()
    closing: str = ""
    fallback: str = FALLBACK
    farewell: str = FAREWELL
    anything_else: str = ANYTHING_ELSE
    agent_name: str = ""
    role: str = ""
    company: str = ""

    def slot(self, name: str) -> Slot | None:
        return next((slot for slot in self.slots if slot.name == name), None)

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key == key), None)


def read_playbook(agent: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[Playbook, tuple[str, ...]]:
    """The playbook with variables in place, and the variables that it names and that have no value."""
    raw = mapping(agent, "playbook")
    slots = tuple(_slots(raw))
    filled, missing = fill_all(
        {"playbook": raw, "persona": mapping(agent, "persona")}, values, later={slot.name for slot in slots}
    )
    raw, persona = filled["playbook"], filled["persona"]
    return Playbook(
        opener=text_of(raw, "opener"),
        slots=tuple(_slots(raw)),
        entries=tuple(_entries(raw, persona)),
        closing=text_of(raw, "closingCTA"),
        fallback=text_of(raw, "fallbackCTA") or FALLBACK,
        farewell=text_of(raw, "endCallMessage") or FAREWELL,
        anything_else=text_of(raw, "anythingElse") if "anythingElse" in raw else ANYTHING_ELSE,
        agent_name=text_of(persona, "name"),
        role=text_of(persona, "role"),
        company=text_of(persona, "companyName"),
    ), missing


# --- questions -------------------------------------------------------------------------------------------------------


def _slots(raw: Mapping[str, Any]) -> Iterator[Slot]:
    required = {text_of(each, "name"): each for each in mappings(raw.get("requiredSlots")) if text_of(each, "name")}
    asked: set[str] = set()
    for number, step in enumerate(mappings(raw.get("qualificationFlow"))):
        name = text_of(step, "slotName", "slot_name") or f"answer_{number + 1}"
        question = text_of(step, "question", "prompt")
        if question and name not in asked:
            asked.add(name)
            yield _slot(name, question, {**required.get(name, {}), **step})
    for name, about in required.items():
        if name not in asked and about.get("required", True):
            yield _slot(name, text_of(about, "question") or _question_for(name, about), about)


def _slot(name: str, question: str, about: Mapping[str, Any]) -> Slot:
    listens_for = text_of(about, "listensFor", "listens_for", "listenFor")
    choices = tuple(_choices(about.get("choices")))
    listed = [part for part in _LIST.split(listens_for) if part]
    kind = text_of(about, "type") or _kind(name, question, listens_for, listed, choices)
    if kind == "choice" and not choices:
        choices = tuple(Choice(label, (label,)) for label in listed)
    digits = about.get("digits")
    return Slot(
        name=name,
        kind=kind if kind in KINDS else "text",
        question=question,
        choices=choices,
        digits=digits if isinstance(digits, int) and not isinstance(digits, bool) else None,
        earliest=_time(about.get("earliest")),
        latest=_time(about.get("latest")),
        otherwise=text_of(about, "otherwise"),
    )


def _kind(name: str, question: str, listens_for: str, listed: list[str], choices: tuple[Choice, ...]) -> str:
    named = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    for kind, pattern in _KIND_WORDS:
        # What is listened for says it best, then the slot's name; a question speaks of many things.
        if any(re.search(pattern, text, re.IGNORECASE) for text in (listens_for, named)):
            return kind
    if choices or len(listed) > 1:
        return "choice"
    if _ASKS_YES_OR_NO.search(question):
        return "yes_no"
    return next((kind for kind, pattern in _KIND_WORDS[:3] if re.search(pattern, question, re.IGNORECASE)), "text")


def _choices(listed: Any) -> Iterator[Choice]:
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, str) and each:
            yield Choice(each, (each,))
        elif isinstance(each, dict) and (label := text_of(each, "label", "value")):
            yield Choice(label, (label, *texts(each.get("words"))))


def _question_for(name: str, about: Mapping[str, Any]) -> str:
    described = text_of(about, "description") or re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    described = described.rstrip(".?! ")
    return f"May I ask for {described[:1].lower()}{described[1:]}?"


def _time(value: Any) -> time | None:
    try:
        return time.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


# --- entries ---------------------------------------------------------------------------------------------------------


def _entries(raw: Mapping[str, Any], persona: Mapping[str, Any]) -> Iterator[Entry]:
    for number, script in enumerate(mappings(raw.get("scripts"))):
        yield from _entry(
            f"script:{number}", script, text_of(script, "when"), text_of(script, "content"), text_of(script, "title")
        )
    for number, objection in enumerate(mappings(raw.get("objectionHandlers"))):
        trigger = text_of(objection, "trigger")
        title = text_of(objection, "title")
        yield from _entry(f"objection:{number}", objection, trigger, text_of(objection, "response"), title)
    for number, fact in enumerate(texts(persona.get("knowledgeBase"))):
        yield Entry(f"fact:{number}", (fact,), fact)


def _entry(key: str, about: Mapping[str, Any], cue: str, answer: str, title: str) -> Iterator[Entry]:
    phrases = [*_cues(cue), *([title] if title else []), *texts(about.get("examples"))]
    fills = {name: value for name, value in mapping(about, "fills").items() if isinstance(value, str)}
    if answer and phrases:
        then = text_of(about, "then") or "continue"
        yield Entry(key, tuple(phrases[:_MOST_PHRASES]), answer, title, then, fills, text_of(about, "tool") or None)


def _cues(cue: str) -> Iterator[str]:
    """`The caller asks when you open, or about parking` as the two things that it names."""
    for part in re.split(r"\s*(?:[|;/\n]|,\s+or\s+|,\s+)\s*", cue):
        phrase = _CLUE.sub("", re.sub(r"^or\s+", "", part.strip(" ."))).strip(" \"'")
        if phrase:
            yield phrase

"""Values for the fields of a caller's JSON Schema, found in a transcript by the kind of each field. Unknown is null."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from rymi_server.foundation.spoken.agreement import yes_or_no
from rymi_server.foundation.spoken.days import WEEKDAYS, days, times
from rymi_server.foundation.spoken.names import mail_address, name
from rymi_server.foundation.spoken.numbers import phone_digits, quantities, with_numbers
from rymi_server.foundation.spoken.words import STOP_WORDS, meanings, normal, plain
from rymi_server.intelligence import outcomes
from rymi_server.intelligence.dialogue import Turn, by_people, exchanges
from rymi_server.intelligence.findings import UNKNOWN, Finding

_MONEY = frozenset(["dollars", "dollar", "bucks", "euros", "euro", "pounds", "pound", "usd", "eur"])
_ABOUT_MONEY = re.compile(r"\b(price|cost|amount|dollars?|euros?|budget|fee|bill|payment|salary|income|quote|quoted)\b")
_UNITS = frozenset(
    [
        "people",
        "person",
        "percent",
        "years",
        "year",
        "months",
        "month",
        "weeks",
        "week",
        "days",
        "minutes",
        "hours",
        "miles",
        "rooms",
        "units",
        "seats",
        "users",
        "employees",
    ]
)
_QUALIFIERS = frozenset(
    [
        "monthly",
        "yearly",
        "annual",
        "total",
        "number",
        "amount",
        "size",
        "count",
        "dollar",
        "dollars",
        "euros",
        "how",
        "many",
        "people",
        "live",
        "person",
    ]
)
_INTENTS = {
    "booking": r"\b(book|booking|appointment|schedule|reserve|reservation|come in|visit)\b",
    "cancel": r"\b(cancel|cancelling|cancelled|reschedule)\b",
    "question": r"\b(how (much|long|many)|what (is|are|time|does)|when (is|are|do)|where|are you open|"
    r"do you (take|have|accept|offer))\b",
    "complaint": r"\b(upset|terrible (service|experience|job)|complaint|complain|angry|unhappy|refund|"
    r"bad service|disappointed|unacceptable)\b",
    "not_interested": r"\b(not interested|stop calling|do not call|leave me alone|no interest)\b",
    "support": r"\b(help|problem|issue|does not work|broken|error|support|trouble)\b",
    "interested": r"\b(interested|thinking about it|sounds (good|great|interesting)|tell me more|sign me up)\b",
}
_STRONGEST_FIRST = ("not_interested", "complaint", "cancel", "booking", "support", "interested", "question")
_SETTLED = re.compile(r"\b(booked|down for|all set|confirmed|scheduled|so that is)\b")
_GONE = re.compile(
    r"\b(cancel|cancelled|was there|last (week|time|month|year)|is taken|instead of|used to|open|opening|"
    r"can not wait)\b"
)


@dataclass(frozen=True, slots=True)
class Call:
    turns: Sequence[Turn]
    today: date


def find(field: str, schema: Mapping[str, Any], call: Call) -> Finding:
    """The value in the type that the schema wants, or unknown."""
    kind = _type(schema)
    words = plain(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", field))
    described = f"{words} {plain(_described(schema))}".strip()
    if isinstance(schema.get("enum"), list):
        return _enum(schema["enum"], words, described, call.turns)
    if kind == "boolean":
        return _boolean(field, _described(schema), words, call.turns)
    if kind in {"number", "integer"}:
        return _number(words, described, call.turns, whole=kind == "integer")
    if kind == "string":
        return _string(words, described, schema, call)
    return UNKNOWN


def _type(schema: Mapping[str, Any]) -> str | None:
    kind = schema.get("type")
    kinds = (
        [kind] if isinstance(kind, str) else [each for each in kind if each != "null"] if isinstance(kind, list) else []
    )
    return kinds[0] if len(kinds) == 1 else None


def _described(schema: Mapping[str, Any]) -> str:
    return " ".join(text for key in ("title", "description") if isinstance(text := schema.get(key), str))


# --- texts -----------------------------------------------------------------------------------------------------------


def _string(words: str, described: str, schema: Mapping[str, Any], call: Call) -> Finding:
    shape = schema.get("format")
    if shape == "email" or re.search(r"\be ?mail\b", words):
        return _first(by_people(call.turns), mail_address, 0.9)
    if re.search(r"\b(phone|mobile|cell|telephone|callback number|contact number)\b", words):
        return _first(by_people(call.turns), phone_digits, 0.9)
    if shape in {"date", "date-time"} or re.search(r"\b(date|day|weekday)\b", words):
        return _date(call) if shape != "date-time" else _instant(call)
    if shape == "time" or re.search(r"\btime\b", words):
        return _time(call)
    if re.search(r"\bname\b", words) and not re.search(
        r"\b(company|product|business|street|doctor|agent|pet|brand)\b", described
    ):
        return _name(call.turns)
    return UNKNOWN


def _first(turns: Sequence[Turn], read: Callable[[str], str | None], confidence: float) -> Finding:
    """The last one that was said wins: people correct themselves."""
    for turn in reversed(turns):
        if value := read(turn.text):
            return Finding(value, confidence, (turn,))
    return UNKNOWN


def _name(turns: Sequence[Turn]) -> Finding:
    for question, answer in exchanges(turns):
        asked = (
            re.search(r"\b(name|who am i (speaking|talking)|who is (this|calling))\b", plain(question.text))
            and "?" in question.text
        )
        if asked and (found := name(answer.text, asked=True)):
            return Finding(found, 0.8, (question, answer))
    return _first(by_people(turns), name, 0.7)


def _date(call: Call) -> Finding:
    best: tuple[int, int, date, Turn] | None = None
    month = None
    for index, turn in enumerate(call.turns):
        said = plain(turn.text)
        for found in days(turn.text, call.today, month=month):
            month = found.day
            if _GONE.search(said):
                continue
            weight = 3 if turn.of_agent and _SETTLED.search(said) else 2 if not turn.of_agent else 0
            day = found.day
            if best and weight == 3 and found.quote in WEEKDAYS and day.weekday() == best[2].weekday():
                # `Tuesday` in the confirmation is the `next Tuesday` that was agreed on.
                day = best[2]
            if weight and (best is None or (weight, index) >= best[:2]):
                best = (weight, index, day, turn)
    return Finding(best[2].isoformat(), 0.8 if best[0] == 3 else 0.6, (best[3],)) if best else UNKNOWN


def _time(call: Call) -> Finding:
    best: tuple[int, int, str, Turn] | None = None
    question = ""
    for index, turn in enumerate(call.turns):
        said = plain(turn.text)
        asked = not turn.of_agent and bool(re.search(r"\b(time|when)\b", question))
        question = said if turn.of_agent else ""
        for found in times(turn.text, asked=asked):
            weight = 3 if turn.of_agent and _SETTLED.search(said) else 2 if not turn.of_agent else 0
            value = found.at.strftime("%H:%M") if found.at else found.period or ""
            newer = best is None or (weight, index) >= best[:2]
            # A vaguer mention later does not undo an exact one.
            vaguer = best is not None and found.at is None and best[2][:1].isdigit()
            if weight and newer and not vaguer and not _GONE.search(said):
                best = (weight, index, value, turn)
    return Finding(best[2], 0.7 if best[0] == 3 else 0.6, (best[3],)) if best else UNKNOWN


def _instant(call: Call) -> Finding:
    day, at = _date(call), _time(call)
    if day.value is None or at.value is None or not str(at.value)[:1].isdigit():
        return UNKNOWN
    start = time.fromisoformat(at.value)
    return Finding(f"{day.value}T{start.isoformat()}", 0.6, (*day.turns, *at.turns))


# --- yes, no, how many, which ----------------------------------------------------------------------------------------


def _boolean(field: str, description: str, words: str, turns: Sequence[Turn]) -> Finding:
    if notion := outcomes.notion_of(field, description):
        return outcomes.find(notion, turns)
    key = set(meanings(f"{words} {description}")) - {"whether"}
    named = set(meanings(words))
    for question, answer in exchanges(turns):
        about = set(meanings(question.text))
        if "?" in question.text and (named <= about or len(key & about) >= max(2, round(len(key) * 0.6))):
            agreed = yes_or_no(answer.text)
            if agreed is not None:
                return Finding(agreed, 0.7, (question, answer))
    for turn in by_people(turns):
        said = set(meanings(turn.text))
        if named <= said and "?" not in turn.text:
            denied = bool({"not", "no", "never", "without"} & set(normal(turn.text)))
            return Finding(not denied, 0.5, (turn,))
    return UNKNOWN


def _number(words: str, described: str, turns: Sequence[Turn], *, whole: bool) -> Finding:
    """A number counts only where it stands with a word of its field or its unit, or answers a question about it."""
    money = bool(_ABOUT_MONEY.search(described))
    own = {word for word in meanings(words) if word not in STOP_WORDS} - {"quot", "total"}
    question: Turn | None = None
    for turn in turns:
        found = _counted(turn, question, own, described, money=money)
        if found is not None and not (whole and not float(found).is_integer()):
            value = int(found) if whole or float(found).is_integer() else found
            return Finding(value, 0.7, (question, turn) if question is not None and not turn.of_agent else (turn,))
        question = turn if turn.of_agent else None
    return UNKNOWN


def _counted(turn: Turn, question: Turn | None, own: set[str], described: str, *, money: bool) -> float | None:
    said = with_numbers(turn.text)
    asked = question is not None and not turn.of_agent and "?" in question.text and _concerns(question.text, own)
    numbers = list(quantities(said))
    if len(numbers) > 1 and re.search(r"\b(between|from)\b", plain(turn.text)):
        # A range is no number.
        return None
    for number in numbers:
        around = said[max(0, number.first - 2) : number.first] + said[number.end : number.end + 3]
        if money:
            fits = bool(_MONEY & set(around)) and (
                asked or turn.of_agent or _concerns(turn.text, own) or question is None
            )
        else:
            fits = (asked and not _MONEY & set(around)) or _counts_a_thing(around, own, described)
        if fits:
            return number.value
    return None


def _counts_a_thing(around: Sequence[str], own: set[str], described: str) -> bool:
    units = {word for word in described.split() if word in _UNITS}
    return bool(units & set(around)) or bool((own - _QUALIFIERS) & set(meanings(" ".join(around))))


def _concerns(text: str, own: set[str]) -> bool:
    return bool(own & set(meanings(text)))


def _enum(values: Sequence[Any], words: str, described: str, turns: Sequence[Turn]) -> Finding:
    offered = [value for value in values if isinstance(value, str)]
    if intent := _intent(offered, described, turns):
        return intent
    best, most = UNKNOWN, 0.0
    question: Turn | None = None
    for turn in turns:
        if not turn.of_agent:
            about = question is not None and _concerns(question.text, set(meanings(words)))
            for value in offered:
                wanted = set(meanings(value.replace("_", " ")))
                share = len(wanted & set(meanings(turn.text))) / len(wanted) if wanted else 0.0
                denied = re.search(rf"\bnot (a |the |an )?{re.escape(plain(value))}\b", plain(turn.text))
                if share == 1.0 and not denied and share + about >= most:
                    best, most = Finding(value, 0.7 if about else 0.5, (turn,)), share + about
        question = turn if turn.of_agent else None
    return best


def _intent(offered: Sequence[str], described: str, turns: Sequence[Turn]) -> Finding | None:
    """What somebody came for, where the values are words for that."""
    known = [value for value in _STRONGEST_FIRST if value in offered]
    if len(known) < 2 and not (known and re.search(r"\b(intent|reason|purpose)\b", described)):
        return None
    for value in known:
        pattern = re.compile(_INTENTS[value])
        for turn in by_people(turns):
            if pattern.search(plain(turn.text)):
                return Finding(value, 0.6, (turn,))
    return UNKNOWN

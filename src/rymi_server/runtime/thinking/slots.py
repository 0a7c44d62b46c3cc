"""What somebody answered to a question: the value, how it is read back, and why it is not possible where it is not."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from rymi_server.foundation.spoken.agreement import yes_or_no
from rymi_server.foundation.spoken.days import WEEKDAYS, days, spoken_day, spoken_time, times
from rymi_server.foundation.spoken.names import mail_address, name, spoken_mail_address
from rymi_server.foundation.spoken.numbers import (
    digit_by_digit,
    digits,
    in_words,
    phone_digits,
    quantities,
    with_numbers,
)
from rymi_server.foundation.spoken.words import meanings, normal
from rymi_server.runtime.thinking.playbook import Slot
from rymi_server.speech_engines.promises import Expected

_LONGEST_TEXT = 500
_SHORT = 2
# A wish for a date must not be taken out of `not on Tuesday`.
_EXCLUDED = re.compile(r"\b(not|except|but not|anything but|other than|rather than|instead of) (on |at |the )?$")


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` is plain JSON. `spoken` stands in sentences such as `on {{day}}`; `echo` confirms it right away."""

    value: str | float | bool | None
    spoken: str = ""
    echo: str = ""
    # Understood, and only half an answer (`in the morning`) or impossible: what to say to it.
    problem: str = ""


def read(slot: Slot, text: str, now: datetime, *, asked: bool) -> Reading | None:
    """None where there is no answer in it. `asked` says that this was the question, so that a bare word may answer."""
    reader = _READERS.get(slot.kind, _free_text)
    return reader(slot, text, now, asked)


def expected_answer(slot: Slot) -> Expected | None:
    """What to tell an ear that can be told."""
    if slot.kind in {"text", "number"}:
        return None
    # Short ones only: an ear that is told of a long answer takes whole sentences for one.
    words = (word for choice in slot.choices for word in choice.words)
    return Expected(slot.kind, tuple(w for w in words if len(normal(w)) <= _SHORT), slot.digits)


def _name(_: Slot, text: str, __: datetime, asked: bool) -> Reading | None:
    found = name(text, asked=asked)
    return Reading(found, found, f"for {found}") if found else None


def _phone(_: Slot, text: str, __: datetime, asked: bool) -> Reading | None:
    found = phone_digits(text)
    if found:
        return Reading(found, digit_by_digit(found), f"I have {digit_by_digit(found)}")
    some = digits(text)
    if asked and len(some) > 2:
        return Reading(None, problem=f"I only got {digit_by_digit(some)}. Please tell me the whole number.")
    return None


def _digits(slot: Slot, text: str, _: datetime, asked: bool) -> Reading | None:
    found = digits(text)
    if not found or not asked:
        return None
    if slot.digits is not None and len(found) != slot.digits:
        return Reading(None, problem=f"I got {digit_by_digit(found)}, and need {in_words(slot.digits)} digits.")
    return Reading(found, digit_by_digit(found), f"I have {digit_by_digit(found)}")


def _email(_: Slot, text: str, __: datetime, ___: bool) -> Reading | None:
    found = mail_address(text)
    return Reading(found, spoken_mail_address(found), f"I have {spoken_mail_address(found)}") if found else None


def _date(slot: Slot, text: str, now: datetime, _: bool) -> Reading | None:
    today = now.date()
    wanted = [each.day for each in days(text, today) if not _excluded(text, each.quote)]
    if not wanted:
        return None
    day = wanted[-1]
    if slot.choices and WEEKDAYS[day.weekday()] not in {choice.label.lower() for choice in slot.choices}:
        weekday = WEEKDAYS[day.weekday()].capitalize()
        return Reading(None, problem=slot.otherwise or f"I am sorry, {weekday} is not possible.")
    weekday = spoken_day(day, today).rpartition(", ")[2]
    return Reading(day.isoformat(), weekday, _echoed_day(day, today))


def _echoed_day(day: date, today: date) -> str:
    spoken = spoken_day(day, today)
    return spoken if spoken.startswith(("today", "tomorrow")) else f"on {spoken}"


def _time(slot: Slot, text: str, _: datetime, asked: bool) -> Reading | None:
    found = times(text, asked=asked, earliest=slot.earliest)
    exact = [each for each in found if each.at is not None and not _excluded(text, each.quote)]
    if not exact:
        period = next((each.period for each in found if each.period), None)
        return Reading(None, problem=f"In the {period}, good. At what time exactly?") if period and asked else None
    # `at four, no, at five`: the last one counts.
    at = exact[-1].at or time(0)
    if (slot.earliest and at < slot.earliest) or (slot.latest and at > slot.latest):
        return Reading(None, problem=slot.otherwise or f"I am sorry, {spoken_time(at)} is not possible.")
    return Reading(at.strftime("%H:%M"), spoken_time(at), f"at {spoken_time(at)}")


def _excluded(text: str, quote: str) -> bool:
    said = " ".join(normal(text))
    position = said.find(quote)
    return position > 0 and bool(_EXCLUDED.search(said[:position]))


def _yes_no(_: Slot, text: str, __: datetime, asked: bool) -> Reading | None:
    said = yes_or_no(text) if asked else None
    return None if said is None else Reading(said, "yes" if said else "no")


def _choice(slot: Slot, text: str, _: datetime, asked: bool) -> Reading | None:
    said, exact = set(meanings(text)), set(normal(text))
    best, most = None, 0.0
    for choice in slot.choices:
        for words in choice.words:
            wanted = set(meanings(words))
            found = len(wanted & said) / len(wanted) + 0.01 * len(set(normal(words)) & exact)
            # Unasked, all of it has to be said.
            if found > most and found >= (0.5 if asked else 1.0):
                best, most = choice, found
    return Reading(best.label, best.label, best.label) if best else None


def _number(_: Slot, text: str, __: datetime, asked: bool) -> Reading | None:
    found = list(quantities(with_numbers(text)))
    if not asked or not found:
        return None
    value = found[-1].value
    spoken = in_words(int(value)) if value.is_integer() and value < 1_000_000_000 else f"{value:g}"
    return Reading(int(value) if value.is_integer() else value, spoken, spoken)


def _free_text(_: Slot, text: str, __: datetime, asked: bool) -> Reading | None:
    said = text.strip()[:_LONGEST_TEXT]
    return Reading(said, said, "") if asked and said else None


_READERS = {
    "name": _name,
    "phone": _phone,
    "email": _email,
    "date": _date,
    "time": _time,
    "yes_no": _yes_no,
    "choice": _choice,
    "digits": _digits,
    "number": _number,
    "text": _free_text,
}

"""Days and times of day, as they are said, against a given now."""

import re
from dataclasses import dataclass
from datetime import date, time, timedelta

from rymi_server.foundation.spoken.numbers import ORDINALS, VALUES, in_words, ordinal_in_words
from rymi_server.foundation.spoken.words import plain

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
    "december",
)
_DAY_NUMBERS = {
    **ORDINALS,
    **{f"{tens} {unit}": ten + ORDINALS[unit] for tens, ten in (("twenty", 20),) for unit in list(ORDINALS)[:9]},
    "thirty first": 31,
}
_ORDINAL = "|".join(sorted(_DAY_NUMBERS, key=len, reverse=True))
_MONTH = "|".join(MONTHS)
_COUNT = "|".join([r"\d{1,2}", "a", "an", *[word for word, value in VALUES.items() if 0 < value < 20]])
_DAY = re.compile(
    rf"\b(?P<relative>day after tomorrow|today|tonight|tomorrow)\b"
    rf"|\bin (?P<count>{_COUNT}) (?P<unit>days?|weeks?)\b"
    rf"|\b(?P<iso>\d{{4}} \d{{2}} \d{{2}})\b"
    rf"|\b(?:(?P<weekday_of_date>{'|'.join(WEEKDAYS)}) )?(?:the )?(?:"
    rf"(?P<month>{_MONTH}) (?:the )?(?P<day>{_ORDINAL}|\d{{1,2}})(?:st|nd|rd|th)?"
    rf"|(?P<day_of>{_ORDINAL}|\d{{1,2}})(?:st|nd|rd|th)? (?:of )?(?P<month_of>{_MONTH}))\b"
    rf"|\b(?:(?P<which>next|this|last|past) )?(?P<weekday>{'|'.join(WEEKDAYS)})s?\b"
    rf"|\bthe (?P<alone>(?:{_ORDINAL})|\d{{1,2}}(?:st|nd|rd|th))\b(?! (?:one|time|week|thing|floor|visit|of|"
    rf"street|avenue))"
)
_HOUR = "|".join([r"\d{1,2}", *sorted((w for w, v in VALUES.items() if 0 < v < 13), key=len, reverse=True)])
_MINUTE_WORDS = {"thirty": 30, "fifteen": 15, "forty five": 45, "twenty": 20, "ten": 10, "forty": 40, "fifty": 50}
_MINUTES = "|".join([r"[0-5]\d", "oh five", *sorted(_MINUTE_WORDS, key=len, reverse=True)])
_TIME = re.compile(
    rf"\b(?P<before>at |around |about |by |after |before )?(?:(?P<part>half|quarter) (?P<way>past|to) )?"
    rf"(?P<hour>{_HOUR})(?: (?P<clock>o clock|oclock))?(?: (?P<minute>{_MINUTES}))?"
    rf"(?: (?P<clock_after>o clock|oclock))?(?: ?(?P<half>am|pm|a m|p m)| (?:in the |this )?(?P<of>morning|"
    rf"afternoon|evening))?\b"
)
_NOON = re.compile(r"\b(?:at )?(noon|midday|midnight|lunch time|lunchtime)\b")
_PERIOD = re.compile(r"\b(morning|afternoon|evening)s?\b")
_FIRST_OFFICE_HOUR = 8


@dataclass(frozen=True, slots=True)
class SpokenDay:
    day: date
    quote: str
    position: int


@dataclass(frozen=True, slots=True)
class SpokenTime:
    """A time of day, or only a part of the day."""

    at: time | None
    period: str | None
    quote: str
    position: int
    # Said with `am`, `in the afternoon` or on a clock of 24 hours, so that it can mean no other time.
    exact: bool = False


def days(text: str, today: date, *, month: date | None = None) -> list[SpokenDay]:
    """Days in the order in which they are said. `month` is what `the sixteenth` alone belongs to; today's otherwise."""
    found = []
    for match in _DAY.finditer(_with_iso(text)):
        day = _meant(match, today, month or today)
        if day is not None:
            found.append(SpokenDay(day, match[0], match.start()))
    return found


def _with_iso(text: str) -> str:
    return plain(re.sub(r"(\d)[-/](?=\d)", r"\1 ", text))


def _meant(match: re.Match[str], today: date, month: date) -> date | None:
    said = match.groupdict()
    if said["relative"]:
        return today + timedelta({"tomorrow": 1, "day after tomorrow": 2}.get(said["relative"], 0))
    if said["count"]:
        count = 1 if said["count"] in {"a", "an"} else _number(said["count"])
        return today + timedelta(count * (7 if said["unit"].startswith("week") else 1))
    if said["iso"]:
        return _valid(*(int(part) for part in said["iso"].split()))
    if said["month"] or said["month_of"]:
        number = _number(said["day"] or said["day_of"])
        this_year = _valid(today.year, MONTHS.index(said["month"] or said["month_of"]) + 1, number)
        return this_year if this_year is None or this_year >= today else _valid(today.year + 1, this_year.month, number)
    if said["weekday"]:
        return _weekday(said["weekday"], said["which"], today)
    number = _number(re.sub(r"(st|nd|rd|th)$", "", said["alone"]) if said["alone"][0].isdigit() else said["alone"])
    day = _valid(month.year, month.month, number)
    if day is not None and day < today:
        following = (day.replace(day=1) + timedelta(32)).replace(day=1)
        day = _valid(following.year, following.month, number)
    return day


def _weekday(word: str, which: str | None, today: date) -> date | None:
    ahead = (WEEKDAYS.index(word) - today.weekday()) % 7
    if which in {"last", "past"}:
        return None
    if which == "next" and WEEKDAYS.index(word) > today.weekday():
        ahead += 7
    return today + timedelta(ahead or 7)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _DAY_NUMBERS.get(word) or VALUES.get(word, 0)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def times(text: str, *, asked: bool = False, earliest: time | None = None) -> list[SpokenTime]:
    """Times of day. A bare number is one only where a time was asked for; without am or pm, office hours are meant."""
    said = plain(text.replace(":", " ").replace(".", " ") if re.search(r"\d[:.]\d\d", text) else text)
    found = [
        SpokenTime(time(0) if "night" in match[1] else time(12), None, match[0], match.start(), exact=True)
        for match in _NOON.finditer(said)
    ]
    for match in _TIME.finditer(said):
        at = _clock(match, asked, earliest or time(_FIRST_OFFICE_HOUR))
        if at is not None:
            exact = bool(match["half"] or match["of"])
            found.append(SpokenTime(at, None, match[0].strip(), match.start(), exact=exact))
    for match in _PERIOD.finditer(said):
        if not any(match[1] in each.quote for each in found) and not re.search(rf"good {match[1]}", said):
            found.append(SpokenTime(None, match[1], match[0], match.start()))
    return sorted(found, key=lambda each: each.position)


def _clock(match: re.Match[str], asked: bool, earliest: time) -> time | None:
    said = match.groupdict()
    marked = any(said[key] for key in ("before", "part", "clock", "clock_after", "half", "of", "minute"))
    if not (marked or asked):
        return None
    hour, minute = _number(said["hour"]), _minutes(said["minute"])
    if said["part"]:
        shift = 30 if said["part"] == "half" else 15
        hour, minute = (hour, shift) if said["way"] == "past" else (hour - 1, 60 - shift)
    half = (said["half"] or "").replace(" ", "")
    if half == "pm" or said["of"] in {"afternoon", "evening"}:
        hour += 12 if hour < 12 else 0
    elif (half == "am" or said["of"] == "morning") and hour == 12:
        hour = 0
    elif not half and not said["of"] and hour < earliest.hour and hour + 12 < 24:
        hour += 12
    return time(hour, minute) if 0 <= hour < 24 and minute < 60 else None


def _minutes(word: str | None) -> int:
    if not word:
        return 0
    return int(word) if word.isdigit() else _MINUTE_WORDS.get(word, 5)


def spoken_day(day: date, today: date) -> str:
    """A day as it is read back: `tomorrow`, `Tuesday`, or `Tuesday the eighth of December`."""
    name = WEEKDAYS[day.weekday()].capitalize()
    ahead = (day - today).days
    if ahead in {0, 1}:
        return f"{('today', 'tomorrow')[ahead]}, {name}"
    if 1 < ahead < 7:
        return name
    return f"{name} the {ordinal_in_words(day.day)} of {MONTHS[day.month - 1].capitalize()}"


def spoken_time(at: time) -> str:
    """`three in the afternoon`, `nine thirty in the morning`, `noon`."""
    if at == time(12):
        return "noon"
    hour = in_words((at.hour - 1) % 12 + 1)
    minute = "" if not at.minute else f" {'oh ' if at.minute < 10 else ''}{in_words(at.minute)}"
    return f"{hour}{minute} in the {'morning' if at.hour < 12 else 'afternoon' if at.hour < 18 else 'evening'}"

"""Written text as it is read aloud: no markup, and for English no figures that a voice would stumble over."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from rymi_server.foundation.spoken.days import MONTHS
from rymi_server.foundation.spoken.names import spoken_mail_address
from rymi_server.foundation.spoken.numbers import digit_by_digit, in_words, ordinal_in_words

_MARKUP = (
    (re.compile(r"```.*?(```|$)", re.DOTALL), " "),
    (re.compile(r"!?\[([^\]\[]{0,200})\]\((?:[^)\s]{0,2000})\)"), r"\1"),
    (re.compile(r"^\s{0,3}#{1,6}\s+", re.MULTILINE), ""),
    (re.compile(r"^\s*(?:[-*+\u2022]|\d{1,2}[.)])\s+", re.MULTILINE), ""),
    (re.compile(r"^\s*>\s?", re.MULTILINE), ""),
    (re.compile(r"(\*\*|__|\*|~~|`)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"<[a-zA-Z/][^>]{0,100}>"), " "),
    (re.compile(r"^\s*\[[^\[\]]{1,44}\]\s*:?"), ""),
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_URL = re.compile(r"\b(?:https?://|www\.)[^\s<>\"')\]]{1,2000}", re.IGNORECASE)
_PHONE = re.compile(r"(?<![\w.,$€£-])\+?\(?\d{1,4}\)?(?:[ .-]\(?\d{2,4}\)?){2,5}\b|\+\d{7,15}\b")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_CLOCK = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?:\s?([ap])\.?m\b\.?)?", re.IGNORECASE)
_HOUR = re.compile(r"\b(1[0-2]|[1-9])\s?([ap])\.?m\b\.?", re.IGNORECASE)
_MONEY = re.compile(r"([$€£])\s?(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d{2}))?(?!\d)(?:\s?(k|million|billion)\b)?")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s?%")
_ORDINAL = re.compile(r"\b(\d{1,3})(?:st|nd|rd|th)\b")
_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(?![\w])")
_CURRENCY = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "penny")}
_SHORT = {
    "&": " and ",
    "e.g.": "for example",
    "i.e.": "that is",
    "etc.": "and so on",
    "approx.": "approximately",
    "\u2013": ", ",
    "\u2014": ", ",
}
_LARGEST = 999_999_999
_MOST_DIGITS = 9


def speakable(text: str, language: str = "en-US") -> str:
    """Empty where there is nothing to say."""
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    text = "".join(c for c in text if not _is_picture(c))
    if language.lower().startswith("en"):
        text = _in_english(text)
    else:
        text = _URL.sub(lambda url: re.sub(r"^https?://", "", url[0], flags=re.IGNORECASE), text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([,.;:!?])", r"\1", text)
    return text if any(c.isalnum() for c in text) else ""


def _is_picture(character: str) -> bool:
    return unicodedata.category(character) in {"So", "Sk", "Cs", "Co", "Cf"} or (
        unicodedata.category(character) == "Cc" and character not in "\n\t"
    )


def _in_english(text: str) -> str:
    text = _MAIL.sub(lambda mail: _kept_stop(mail[0], spoken_mail_address), text)
    text = _URL.sub(lambda url: _kept_stop(url[0], _spoken_url), text)
    for short, long in _SHORT.items():
        text = text.replace(short, long)
    text = _ISO_DATE.sub(_spoken_date, text)
    text = _PHONE.sub(lambda number: " " + digit_by_digit(number[0]), text)
    text = _CLOCK.sub(lambda at: _spoken_clock(int(at[1]), int(at[2]), at[3]), text)
    text = _HOUR.sub(lambda at: f"{in_words(int(at[1]))} {at[2].lower()} m", text)
    text = _MONEY.sub(_spoken_money, text)
    text = _PERCENT.sub(lambda number: f"{_spoken_number(number[1])} percent", text)
    text = _ORDINAL.sub(lambda number: ordinal_in_words(int(number[1])), text)
    return _NUMBER.sub(lambda number: _spoken_number(number[0]), text)


def _kept_stop(written: str, spoken: Callable[[str], str]) -> str:
    bare = written.rstrip(".,;:!?")
    return f"{spoken(bare)}{written[len(bare) :]}"


def _spoken_url(url: str) -> str:
    bare = re.sub(r"^https?://|^www\.", "", url, flags=re.IGNORECASE).removeprefix("www.")
    bare = bare.partition("?")[0].partition("#")[0].rstrip("/")
    signs = {".": " dot ", "/": " slash ", "-": " dash ", "_": " underscore ", ":": " colon "}
    return " ".join("".join(signs.get(c, c) for c in bare).split())


def _spoken_date(match: re.Match[str]) -> str:
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return match[0]
    return f"{MONTHS[day.month - 1].capitalize()} {ordinal_in_words(day.day)}, {_spoken_year(day.year)}"


def _spoken_year(year: int) -> str:
    if 2000 <= year < 2010 or year % 100 == 0 or not 1000 <= year < 10_000:
        return in_words(year)
    rest = in_words(year % 100) if year % 100 > 9 else f"oh {in_words(year % 100)}"
    return f"{in_words(year // 100)} {rest}"


def _spoken_clock(hour: int, minute: int, half: str | None) -> str:
    after = f" {half.lower()} m" if half else ""
    if not half and (hour > 12 or hour == 0):
        after = " p m" if hour > 12 else " a m"
    spoken_hour = in_words((hour - 1) % 12 + 1)
    if minute == 0:
        return spoken_hour + (after or " o'clock")
    return f"{spoken_hour} {'oh ' if minute < 10 else ''}{in_words(minute)}{after}"


def _spoken_money(match: re.Match[str]) -> str:
    whole, part = _CURRENCY[match[1]]
    amount = int(match[2].replace(",", ""))
    if amount > _LARGEST:
        return match[0]
    scale = {"k": " thousand", None: ""}.get(match[4], f" {match[4]}")
    spoken = f"{in_words(amount)}{scale} {whole}" + ("" if amount == 1 and not scale else "s")
    cents = int(match[3] or 0)
    return f"{spoken} and {in_words(cents)} {part}{'' if cents == 1 else 's'}" if cents else spoken


def _spoken_number(written: str) -> str:
    whole, _, part = written.replace(",", "").partition(".")
    if (len(whole) > 1 and whole.startswith("0")) or len(whole) > _MOST_DIGITS:
        spoken = digit_by_digit(whole)
    else:
        spoken = in_words(int(whole))
    return f"{spoken} point {' '.join(in_words(int(digit)) for digit in part)}" if part else spoken

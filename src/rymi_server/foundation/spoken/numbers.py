"""Numbers in words: strings of digits as people dictate them, and quantities as people state them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rymi_server.foundation.spoken.words import normal

_UNITS = [
    "zero",
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
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
VALUES = {word: value for value, word in enumerate(_UNITS)} | {word: 20 + 10 * i for i, word in enumerate(_TENS)}
_ORDINAL_UNITS = [
    "zeroth",
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
]
ORDINALS = {word: value for value, word in enumerate(_ORDINAL_UNITS) if value} | {"twentieth": 20, "thirtieth": 30}
_AS_DIGIT = {word: str(value) for word, value in VALUES.items() if value < 10} | {"oh": "0", "o": "0", "nought": "0"}
_REPEATS = {"double": 2, "triple": 3}
_BETWEEN = {"and", "uh", "um", "then", "dash", "hyphen", "space", "plus"}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
# Nobody means more; `thousand thousand thousand …` is no number.
_LARGEST = 1_000_000_000
_SEPARATORS = re.compile(r"(?<=\d)[-(). /]+(?=\d)|[()+]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")
_POINT = "decimalpoint"
_FEWEST_OF_A_PHONE, _MOST_OF_A_PHONE = 7, 15


def digits(text: str) -> str:
    """The longest string of digits that was dictated: `double five`, `oh` and `twelve thirty four` included."""
    words = normal(_SEPARATORS.sub(" ", text))
    best, current, repeat = "", "", 1
    for index, word in enumerate([*words, ""]):
        if word in _REPEATS:
            repeat = _REPEATS[word]
            continue
        said = _dictated(word, words[index + 1] if index + 1 < len(words) else "", words[index - 1] if index else "")
        if said is None:
            if word in _BETWEEN:
                continue
            best, current = max(best, current, key=len), ""
        elif said == "00" and current:
            current += said
        else:
            current += said * (repeat if len(said) == 1 else 1)
        repeat = 1
    return best


def _dictated(word: str, following: str, before: str) -> str | None:
    if word in _AS_DIGIT:
        # `thirty four` was written down with the thirty.
        return "" if before in _TENS and VALUES.get(word, 0) else _AS_DIGIT[word]
    if word.isdigit():
        return word
    if word in VALUES:
        value = VALUES[word]
        return str(value + VALUES[following]) if value >= 20 and 0 < VALUES.get(following, 0) < 10 else str(value)
    return "00" if word == "hundred" and before in _AS_DIGIT else None


def phone_digits(text: str) -> str | None:
    """A phone number that was dictated, as digits."""
    found = digits(text)
    return found if _FEWEST_OF_A_PHONE <= len(found) <= _MOST_OF_A_PHONE else None


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number, and which words of the sentence it was."""

    value: float
    first: int
    end: int


def with_numbers(text: str) -> list[str]:
    """The words of a sentence in which a currency sign is a word, and a decimal number is one word."""
    text = re.sub(r"[$€£]\s?(?=\d)|(?<=\d)\s?[$€£]", " dollars ", _THOUSANDS.sub("", text)).replace("%", " percent ")
    return [word.replace(_POINT, ".") for word in normal(_DECIMAL.sub(_POINT, text))]


def quantities(words: Sequence[str]) -> Iterator[Quantity]:
    """Every number in `with_numbers(text)`: `two hundred and forty` is one, `three or four` are two."""
    index = 0
    while index < len(words):
        if re.fullmatch(r"\d{1,15}(\.\d{1,15})?", words[index]):
            scale = _SCALES.get(words[index + 1], 1) if index + 1 < len(words) else 1
            end = index + (1 if scale == 1 else 2)
            yield Quantity(float(words[index]) * scale, index, end)
            index = end
        elif words[index] in VALUES:
            end, value = _in_words(words, index)
            yield Quantity(value, index, end)
            index = end
        else:
            index += 1


def _in_words(words: Sequence[str], start: int) -> tuple[int, float]:
    total, current, index, least = 0, 0, start, 1_000_000
    while index < len(words):
        word = words[index]
        if word in _SCALES and max(total, current) < _LARGEST:
            current = (current or 1) * _SCALES[word]
            if _SCALES[word] >= 1_000:
                total, current = total + current, 0
            least = _SCALES[word]
        elif word in VALUES and VALUES[word] < least:
            current += VALUES[word]
            least = 10 if VALUES[word] >= 20 else 1
        elif not (word == "and" and index + 1 < len(words) and words[index + 1] in VALUES and least >= 100):
            break
        index += 1
    return index, float(total + current)


def in_words(number: int) -> str:
    """A whole number below a billion, as it is read aloud."""
    if number < 0:
        return f"minus {in_words(-number)}"
    if number < 20:
        return _UNITS[number]
    if number < 100:
        return _TENS[number // 10 - 2] + (f" {_UNITS[number % 10]}" if number % 10 else "")
    for scale, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= scale:
            rest = number % scale
            return f"{in_words(number // scale)} {name}" + (f" {in_words(rest)}" if rest else "")
    raise AssertionError("every number above 99 has a scale")


def ordinal_in_words(number: int) -> str:
    words = in_words(number).split()
    last = words[-1]
    if last in _UNITS:
        words[-1] = _ORDINAL_UNITS[_UNITS.index(last)]
    else:
        words[-1] = last[:-1] + "ieth" if last.endswith("y") else last + "th"
    return " ".join(words)


def digit_by_digit(number: str) -> str:
    """`5551234` as `five five five, one two three four`: in groups that an ear can hold."""
    spoken = [_UNITS[int(digit)] for digit in number if digit.isdigit()]
    groups = [spoken[i : i + 3] for i in range(0, len(spoken), 3)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return ", ".join(" ".join(group) for group in groups)

"""What callers say to any agent, and how a phrase is written for the recogniser: words in lower case, numbers spelt."""

import random
import re
from collections.abc import Iterable
from itertools import chain
from typing import Final

_DAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_TENS: Final = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_MONTH_NAMES: Final = """
january february march april may june july august september october november december
"""
_NUMBER_NAMES: Final = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_ORDINAL_NAMES: Final = """
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth fifteenth twentieth
"""
_GIVEN_NAMES: Final = """
john mary james linda robert patricia michael jennifer william elizabeth david susan richard jessica joseph sarah thomas
karen daniel nancy paul lisa mark anna
"""
_FAMILY_NAMES: Final = """
smith johnson williams brown jones garcia miller davis wilson anderson taylor moore martin lee white clark
"""
_MONTHS: Final = _MONTH_NAMES.split()
_ONES: Final = _NUMBER_NAMES.split()
_ORDINALS: Final = _ORDINAL_NAMES.split()
_FIRST_NAMES: Final = _GIVEN_NAMES.split()
_LAST_NAMES: Final = _FAMILY_NAMES.split()
_SAID_TO_ANYONE: Final = """yes
no
yes please
yes sure
sure
no thank you
no thanks
okay
alright
that is right
that is correct
correct
no that is wrong
hello
hi
hello is anyone there
thank you
thanks
thank you very much
goodbye
bye
bye bye
sorry
pardon
can you repeat that
could you say that again please
i did not understand
one moment please
hold on
hold on a second
just a minute
let me think
let me see
wait
i do not know
maybe
that works for me
that would be fine
that sounds good
sounds great
go ahead
in the morning
in the afternoon
in the evening
tomorrow
tomorrow afternoon
today
next week
this week
as soon as possible
call me back later
i am busy right now
please call me back tomorrow
i have a question
can you help me
what do you mean
why are you calling
how did you get my number
who is calling please
are you a robot
can i talk to a real person
i want to speak to a human
let me talk to the manager
please do not call me again
i am not interested
stop
send me a message
my email is"""
_WORD: Final = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+")
_MOST_LINES: Final = 4_000
_MOST_WORDS_A_LINE: Final = 60


def spelt(phrase: str) -> str:
    """As the recogniser hears it."""
    words = _WORD.findall(phrase.lower().replace("\u2019", "'"))
    return " ".join(_number(word) if word.isdigit() else word for word in words)


def lines(phrases: Iterable[str], keywords: Iterable[str]) -> list[str]:
    """All that this agent's callers may say, those of its own trade twice: in the order given, without empty lines."""
    own = [line for line in map(spelt, chain(phrases, keywords)) if line][:_MOST_LINES]
    cut = [" ".join(line.split()[:_MOST_WORDS_A_LINE]) for line in own]
    return said_to_anyone() + cut * 2


def said_to_anyone() -> list[str]:
    """The same each time."""
    dice = random.Random(1)  # noqa: S311 - it makes examples, not secrets
    said = _SAID_TO_ANYONE.split("\n")
    for day in _DAYS:
        hour, ordinal = dice.choice(_ONES[1:13]), dice.choice(_ORDINALS)
        said += [f"on {day}", f"next {day}", f"{day} works", f"{day} morning", f"{day} at {hour}"]
        said += [f"{day} the {ordinal}", f"how about {day}"]
    for month in _MONTHS:
        said += [f"the {dice.choice(_ORDINALS)} of {month}", f"{month} {dice.choice(_ORDINALS)}"]
    for hour in _ONES[1:13]:
        said += [f"at {hour}", f"at {hour} thirty", f"{hour} o'clock", f"around {hour}", f"{hour} in the afternoon"]
    digits = [*_ONES[:10], "oh"]
    for _ in range(30):
        said.append("my number is " + " ".join(dice.choices(digits, k=10)))
        said.append(" ".join(dice.choices(digits, k=7)))
    for _ in range(40):
        first, last = dice.choice(_FIRST_NAMES), dice.choice(_LAST_NAMES)
        before = dice.choice(["my name is", "this is", "i am", "it is", "name is"])
        said += [f"{before} {first} {last}", f"{first} {last}", first]
    return said


def _number(digits: str) -> str:
    if len(digits) > 3 or (len(digits) > 1 and digits[0] == "0"):
        return " ".join(_ONES[int(digit)] for digit in digits)
    value = int(digits)
    if value < 20:
        return _ONES[value]
    if value < 100:
        return " ".join(filter(None, [_TENS[value // 10], _ONES[value % 10] if value % 10 else ""]))
    rest = value % 100
    return f"{_ONES[value // 100]} hundred" + (f" {_number(str(rest))}" if rest else "")

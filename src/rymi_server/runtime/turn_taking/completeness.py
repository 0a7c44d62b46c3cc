"""Whether the words so far sound as if the speaker is done: rules for English, signs and digits for the rest."""

import re
from enum import StrEnum
from typing import Final

from rymi_server.speech_engines.promises import Expected


class Sounds(StrEnum):
    DONE = "done"
    OPEN = "open"
    # In the middle of a number.
    DIGITS = "digits"
    MID = "mid"


# A sentence does not end on one of these.
_OPEN_LAST: Final = re.compile(
    r"^(and|or|but|because|so|if|when|while|which|who|whose|than|then|the|a|an|my|your|his|her|our|their"
    r"|its|these|those|to|for|of|on|at|in|with|about|from|by|into|as|is|are|was|were|am|be|been|i|we"
    r"|he|she|they|not|very|quite|really|just|also|perhaps|um|uh|er|hmm|well|like|actually|next|last"
    r"|every|each|some|any|can|could|would|should|will|may|do|does|did|has|had|mean|say|between|until"
    r"|around|without)$"
)
_OPEN_END: Final = re.compile(
    r"\b(let me (see|check|think)( my calendar)?|hold on|one (second|moment|minute|sec)"
    r"|just a (second|minute|moment)|the thing is|(i have|i've got|i got) a question"
    r"|my (name|number|email|address|phone number) is|i (think|mean|guess)|it is|it's|how about"
    r"|(on|at|around|for|before|after) the|i am calling|i'm calling|hang on|wait"
    r"|(the )?(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|twentieth) of"
    r"|well|um+|uh+|okay so|yes but|no but)$"
)
_ANSWER: Final = re.compile(
    r"^(yes|yeah|yep|yup|no|nope|okay|ok|sure|right|correct|alright|hello|hi|thanks|thank you|no thanks"
    r"|no thank you|yes please|stop|goodbye|bye|bye bye|that is (right|correct|fine)|that's (right|correct|fine)"
    r"|sounds good|go ahead|of course|not really|please do|absolutely|exactly|perfect|great)"
    r"( (please|thanks|thank you|goodbye|bye))*$"
)
_CLOSING: Final = re.compile(
    r"\b(please|thanks|thank you|goodbye|bye|tomorrow|today|later|again|is that (right|okay|correct)"
    r"|(monday|tuesday|wednesday|thursday|friday|saturday|sunday)( morning| afternoon| evening)?"
    r"|(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)( thirty| o'?clock)?"
    r"( in the (morning|afternoon|evening))?)$"
)
_QUESTION: Final = re.compile(
    r"^((so|and|okay|well|but|um|yes|no|hi|hello) )*(what|where|when|who|why|how|which|is|are|do|does|did|can|could"
    r"|would|will|may|should|am)\b"
)
_YES_OR_NO: Final = frozenset(["yes", "no", "yeah", "yep", "yup", "sure", "nope", "correct", "right", "absolutely"])
_ONE_DIGIT: Final = frozenset(
    ["zero", "oh", "o", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
)
_TWO_DIGITS: Final = frozenset(
    ["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "ten"]
)
_TENS: Final = frozenset(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
_REPEATED: Final = {"double": 1, "triple": 2}
_PHONE_LENGTHS: Final = (10, 11)
_NOT_A_WORD: Final = re.compile(r"[^\w'@]+")


def sounds(text: str, expected: Expected | None = None, language: str = "en") -> Sounds:
    """What was just asked for shifts it: `yes` answers a yes-or-no question, a phone number takes ten digits."""
    line = text.strip().lower().replace("\u2019", "'")
    words = _NOT_A_WORD.sub(" ", line).split()
    if not words:
        return Sounds.MID
    number = _of_number(words, expected)
    if number is not None:
        return number
    if line.endswith(("...", "\u2026", ",", "-", "\u2014")):
        return Sounds.OPEN
    if line.endswith("?") and len(words) > 1:
        return Sounds.DONE
    ruled = _of_english(words, expected) if language.lower().startswith("en") else Sounds.MID
    if ruled is Sounds.MID and line.endswith((".", "!")) and len(words) > 3:
        return Sounds.DONE
    return ruled


def trailing_digits(words: list[str]) -> int:
    """How many digits the line ends on, said or written."""
    count = 0
    repeat = False
    for at in range(len(words) - 1, -1, -1):
        word = words[at]
        if word in _REPEATED and repeat:
            count += _REPEATED[word]
        elif word in _ONE_DIGIT:
            tens_before = at > 0 and words[at - 1] in _TENS
            count += 0 if tens_before else 1
        elif word in _TWO_DIGITS or word in _TENS:
            count += 2
        elif word.isdigit():
            count += len(word)
        else:
            break
        repeat = word in _ONE_DIGIT
    return count


def _of_number(words: list[str], expected: Expected | None) -> Sounds | None:
    digits = trailing_digits(words)
    asked = expected is not None and expected.kind in ("phone", "digits")
    if digits == 0 or (digits < 3 and not asked):
        return None
    if expected is not None and expected.digits is not None:
        return Sounds.DONE if digits >= expected.digits else Sounds.DIGITS
    if expected is not None and expected.kind == "digits":
        return Sounds.MID
    if digits in _PHONE_LENGTHS:
        return Sounds.DONE
    return Sounds.MID if digits == 7 or digits > max(_PHONE_LENGTHS) else Sounds.DIGITS


def _of_english(words: list[str], expected: Expected | None) -> Sounds:
    line = " ".join(words)
    kind = expected.kind if expected else None
    if _ANSWER.match(line):
        return Sounds.DONE
    if _OPEN_END.search(line) or _OPEN_LAST.match(words[-1]):
        return Sounds.OPEN
    if kind == "yes_no" and words[0] in _YES_OR_NO:
        return Sounds.DONE
    if expected is not None and any(line.endswith(choice.lower()) for choice in expected.choices if choice):
        return Sounds.DONE
    if _QUESTION.match(line) and len(words) >= 4:
        return Sounds.DONE
    if _CLOSING.search(line) and (len(words) >= 3 or kind in ("date", "time")):
        return Sounds.DONE
    return Sounds.MID

"""Asking people whether they may be recorded, one after the other, each once, and understanding what they say to it."""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from rymi_server.runtime.reports import Line

QUESTION: Final = "Before we start: may I record this call? Please say yes or no."
LATER_QUESTION: Final = "Hello {name}. May I record you in this call? Please say yes or no."
AGAIN: Final = "Sorry, may I record this call? Please say yes or no."
REFUSED: Final = "That is fine, I am not recording you."
# Whoever came first is asked without a name, and of who has only a number none is said.
_FIRST: Final = ""
_NAMELESS: Final = "there"
_BY_NAME: Final = re.compile(r"Hello (?P<name>.*)\. May I record ", re.DOTALL)
_ASKS_AGAIN: Final = "Sorry, may I record "
# Who says neither yes nor no so often has not agreed.
_MOST_QUESTIONS: Final = 2

_NO = re.compile(r"\b(no|nope|not|don't|do not|never|rather not|nein|non)\b", re.IGNORECASE)
_YES = re.compile(r"\b(yes|yeah|yep|yup|sure|ok|okay|of course|fine|go ahead|ja|oui|sí|si)\b", re.IGNORECASE)


def answer_to_consent(text: str) -> bool | None:
    """None where it is neither a yes nor a no. A no anywhere is a no."""
    if _NO.search(text):
        return False
    return True if _YES.search(text) else None


@dataclass(slots=True)
class Consents:
    """By the names that people go by. Where none is needed, everybody may be recorded."""

    needed: bool = False
    asked: str | None = None
    given: dict[str, bool] = field(default_factory=dict)
    _waiting: deque[str] = field(default_factory=deque)
    _questions: int = 0

    @property
    def outstanding(self) -> bool:
        """Somebody is being asked, or waits for it."""
        return self.asked is not None or bool(self._waiting)

    def may_record(self, name: str) -> bool:
        return not self.needed or self.given.get(name, False)

    def came(self, name: str) -> None:
        if self.needed and name not in self.given and name not in self._waiting and name != self.asked:
            self._waiting.append(name)

    def left(self, name: str) -> None:
        """They are asked when they come back."""
        if name in self._waiting:
            self._waiting.remove(name)
        if name == self.asked:
            self.asked = None

    def next_question(self) -> str | None:
        """What to ask the next one; None where nobody waits."""
        if self.asked is not None or not self._waiting:
            return None
        first = not self.given
        self.asked, self._questions = self._waiting.popleft(), 1
        return QUESTION if first else LATER_QUESTION.format(name=_spoken(self.asked))

    def answered(self, text: str) -> bool | None:
        """What the one who was asked has decided with these words; None where they are to be asked again."""
        answer = answer_to_consent(text)
        if answer is None and self._questions < _MOST_QUESTIONS:
            self._questions += 1
            return None
        assert self.asked is not None
        name, self.asked = self.asked, None
        self.given[name] = bool(answer)
        return bool(answer)


def decided_before(lines: Iterable[Line]) -> Mapping[str, bool]:
    """What people have said to a predecessor when it asked them, as the transcript has it.

    Of who has decided nothing more is taken. Who is asked by name has not: their words before were for somebody else.
    """
    given: dict[str, bool] = {}
    asked: str | None = None
    for line in lines:
        if line.speaker == "agent":
            asked = _asked_by(line.text, asked)
            if asked not in (None, _FIRST, _NAMELESS):
                given = {name: answer for name, answer in given.items() if _spoken(name) != asked}
        elif line.identity and line.identity not in given and asked in (_FIRST, _spoken(line.identity)):
            answer = answer_to_consent(line.text)
            if answer is not None:
                given[line.identity], asked = answer, None
    return given


def _asked_by(text: str, before: str | None) -> str | None:
    """What the one is called whom the agent asks with this; `before`: whom it has asked last. None: nobody."""
    if named := _BY_NAME.match(text):
        return named["name"]
    if text.startswith(_ASKS_AGAIN):
        return before
    return _FIRST if "may i record" in text.lower() else None


def _spoken(name: str) -> str:
    """A number read out digit by digit is no greeting."""
    return name if any(letter.isalpha() for letter in name) else _NAMELESS

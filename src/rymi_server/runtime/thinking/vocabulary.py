"""What an agent's callers are likely to say, for ears that can be told."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rymi_server.foundation.spoken.days import WEEKDAYS
from rymi_server.runtime.thinking.playbook import Playbook, read_playbook
from rymi_server.runtime.thinking.reading import mapping
from rymi_server.speech_engines.promises import Vocabulary

_MOST_PHRASES = 2_000
_MOST_KEYWORDS = 200
# Said in every conversation, whatever it is about.
_EVERYDAY = (
    *(
        "yes",
        "yes please",
        "yes that is right",
        "that's right",
        "no",
        "no thank you",
        "no thanks",
        "no that's all",
        "okay",
    ),
    *(
        "sure",
        "of course",
        "not really",
        "I don't know",
        "thank you",
        "thank you very much",
        "thanks",
        "goodbye",
        "bye",
    ),
    *("hello", "hi", "good morning", "sorry what did you say", "could you repeat that", "say that again please"),
    *("hold on a second", "one moment please", "can I talk to a human", "I want to speak to someone", "call me back"),
    *(
        "please do not call me again",
        "stop calling me",
        "who is this",
        "are you a robot",
        "that is all",
        "that is correct",
        "that's correct",
        "thank you goodbye",
        "where are you",
        "perfect",
        "great",
    ),
    *(
        "that is wrong",
        "no that is not right",
        "I would like to",
        "I want to",
        "I need",
        "can I",
        "do you have",
        "how much is",
    ),
)
_BY_KIND: dict[str, tuple[str, ...]] = {
    "date": (
        *(f"{word} {day}" for day in WEEKDAYS for word in ("on", "next", "this", "no on", "rather on")),
        *(f"{day} at {hour}" for day in (*WEEKDAYS, "tomorrow") for hour in ("nine", "ten", "three")),
        *("today", "tomorrow", "the day after tomorrow", "in two weeks", "next week", "any day"),
    ),
    "time": (
        *(
            phrase
            for hour in [
                "eight",
                "nine",
                "ten",
                "eleven",
                "twelve",
                "one",
                "two",
                "three",
                "four",
                "five",
                "six",
                "seven",
            ]
            for phrase in (f"at {hour}", f"no at {hour}", f"{hour} o'clock", f"half past {hour}", f"at {hour} thirty")
        ),
        *(f"{hour} in the morning" for hour in ["eight", "nine", "ten", "eleven"]),
        *(f"{hour} in the afternoon" for hour in ["one", "two", "three", "four", "five"]),
        *("quarter past three", "at noon", "in the morning", "in the afternoon", "at two pm", "any time"),
    ),
    "name": ("my name is", "this is", "it's"),
    "phone": (
        "my number is",
        "you can reach me at",
        "zero one two three four five six seven eight nine",
        "double five",
    ),
    "email": ("my email is", "at", "dot com", "dot org", "underscore"),
    "yes_no": ("yes I do", "no I don't", "yes we do", "no we don't"),
}


def vocabulary_of(agent: Mapping[str, Any], values: Mapping[str, Any] | None = None) -> Vocabulary:
    """Phrases as they would be said, and the names that the agent should never hear wrong."""
    playbook, _ = read_playbook(agent, values or {})
    phrases = dict.fromkeys(phrase for phrase in (_plain(each) for each in _phrases(playbook)) if phrase)
    language = agent.get("language")
    return Vocabulary(
        language=language if isinstance(language, str) and language else "en-US",
        phrases=tuple(phrases)[:_MOST_PHRASES],
        keywords=tuple(dict.fromkeys(_keywords(agent, playbook)))[:_MOST_KEYWORDS],
        numerals=_switch(agent, "stt_numeral_formatting"),
        masks_profanity=_switch(agent, "stt_profanity_filter"),
    )


def _phrases(playbook: Playbook) -> Iterator[str]:
    for entry in playbook.entries:
        yield from entry.phrases
    for slot in playbook.slots:
        for choice in slot.choices:
            yield from choice.words
            if slot.kind == "choice":
                yield from (f"I would like {choice.label}", f"I need {choice.label}")
        yield from _BY_KIND.get(slot.kind, ())
    yield from _EVERYDAY
    # What the agent says comes back in what it is answered.
    yield from (playbook.opener, playbook.closing, *(slot.question for slot in playbook.slots))


def _keywords(agent: Mapping[str, Any], playbook: Playbook) -> Iterator[str]:
    told = mapping(agent, "advanced").get("stt_keywords")
    if isinstance(told, str):
        yield from (word.strip() for word in told.split(",") if word.strip())
    yield from (name for name in (playbook.company, playbook.agent_name) if name)


def _switch(agent: Mapping[str, Any], name: str) -> bool | None:
    value = mapping(agent, "advanced").get(name)
    return value if isinstance(value, bool) else None


def _plain(phrase: str) -> str:
    return " ".join(re.sub(r"\{\{.*?\}\}", " ", phrase).split())

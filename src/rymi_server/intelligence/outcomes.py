"""How a call went, by plain phrases: what was booked, asked for or refused, and in which mood. Never a guess."""

import re
from collections.abc import Sequence

from rymi_server.foundation.spoken.words import plain
from rymi_server.intelligence.dialogue import Turn, by_people, exchanges
from rymi_server.intelligence.findings import UNKNOWN, Finding

# What a field may ask for: how its name or description reads, who must have said it, and how that reads.
BOOKED = "booked"
CALLBACK = "callback"
OPT_OUT = "opt_out"

_NOTIONS = {
    OPT_OUT: re.compile(
        r"\b(not (to )?(be )?(call|contact)|do not (call|contact)|stop calling|opt(ed)? ?out|dnc|unsubscri)"
    ),
    CALLBACK: re.compile(r"\b(call(ed)? ?back|callback|return call|follow up call)"),
    BOOKED: re.compile(r"\b(appointment|meeting|booking|booked|reservation|demo|visit)\b.*|\bbook\b"),
}
_SUCCEEDED = re.compile(r"\b(booked|book|scheduled|schedule|made|set|arranged|confirmed|was|is|successfully|get|got)\b")
_BOOKED_SAID = re.compile(
    r"\b(you are|you re|i have you|i have got you|have you|that is|all) (now )?(booked|scheduled|confirmed|set|"
    r"down|put down)\b"
    r"|\b(appointment|visit|meeting|booking|reservation|demo|it) (is|has been|was) (now )?(booked|confirmed|"
    r"scheduled|set)\b"
    r"|\b(i have|i ve|we have|i) (just )?(booked|scheduled|confirmed|reserved)\b|\bbooked (you|it|that)\b"
    r"|\bwe look forward to seeing you\b|\bsee you (on|at|then|tomorrow|monday|tuesday|wednesday|thursday|"
    r"friday|saturday|sunday)\b"
)
_NOT_BOOKED = re.compile(
    r"\b(fully booked|booked out|not (be )?(booked|available)|is taken|cancelled|canceled|full (today|tomorrow|then))\b"
)
_READ_BACK = re.compile(
    r"\b(so that is|so that s|let me confirm|just to confirm|to confirm|shall i (book|schedule)|"
    r"i will book)\b.{0,200}\b(right|correct|okay|book|schedule)\b"
)
_CALLBACK_SAID = re.compile(
    r"\b(call|ring|phone) (me|us) (back|later|again|tomorrow|next|on|in)\b|\bcall back\b|\b(can|could|please|"
    r"have) .{0,20}call me\b"
    r"|\breach me (on|at|later)\b"
)
_OPT_OUT_SAID = re.compile(
    r"\b(do not|don t|never|stop) (ever )?(call|calling|ring|contact|contacting)( (me|us|this number|"
    r"here))?( again| anymore)?\b(?! back)"
    r"|\b(take|remove) (me|us|my number|this number) (off|from)\b|\bunsubscribe\b|\b(lose|forget) (my|this) number\b"
)
_NEGATIVE = re.compile(
    r"\b(not interested|stop calling|too expensive|quite expensive|upset|terrible(?! (tooth ?ache|pain|headache|ache))|"
    r"horrible|awful|angry|furious|waste of|"
    r"ridiculous|rip off|rude|unacceptable|leave me alone|unhappy|disappointed|disappointing|bad service|worst|"
    r"scam|fraud|complain|complaint|"
    r"do not have time for this|fed up|frustrated|frustrating|disgusting|useless|lose (this|my) number|"
    r"can not wait until|i hate)\b"
)
_POSITIVE = re.compile(
    r"\b(perfect|wonderful|awesome|excellent|fantastic|amazing|brilliant|very helpful|so helpful|"
    r"thank you so much|thanks so much|"
    r"really appreciate|i appreciate|love it|that is great|great help|very kind|so kind|very happy|really happy|"
    r"great news)\b"
)
_DENIED = re.compile(r"\b(not|never|isn t|is not|wasn t|no) (\w+ ){0,2}$")


def notion_of(name: str, description: str) -> str | None:
    """Whether a field asks for one of the things that calls are about."""
    words = plain(f"{re.sub(r'(?<=[a-z])(?=[A-Z])|_', ' ', name)} {description}")
    for notion in (OPT_OUT, CALLBACK):
        if _NOTIONS[notion].search(words):
            return notion
    return BOOKED if _NOTIONS[BOOKED].search(words) and _SUCCEEDED.search(words) else None


def find(notion: str, turns: Sequence[Turn]) -> Finding:
    return {BOOKED: booked, CALLBACK: wanted_back, OPT_OUT: opted_out}[notion](turns)


def booked(turns: Sequence[Turn]) -> Finding:
    """An agent says that it is, or reads it back and hears yes. Whatever is cancelled afterwards is not."""
    for index in range(len(turns) - 1, -1, -1):
        turn = turns[index]
        said = plain(turn.text)
        if turn.of_agent and _NOT_BOOKED.search(said):
            return Finding(False, 0.7, (turn,))
        if turn.of_agent and _BOOKED_SAID.search(said):
            return Finding(True, 0.9, (turn,))
    for question, answer in exchanges(turns):
        if _READ_BACK.search(plain(question.text)) and re.match(
            r"(yes|yeah|yep|correct|right|that is right|sure|perfect|exactly)\b", plain(answer.text)
        ):
            return Finding(True, 0.7, (question, answer))
    people = by_people(turns)
    return Finding(False, 0.6, tuple(people[-1:])) if people else UNKNOWN


def read_back(turns: Sequence[Turn]) -> list[Turn]:
    """What an agent repeated to hear whether it is right."""
    return [turn for turn in turns if turn.of_agent and _READ_BACK.search(plain(turn.text))]


def wanted_back(turns: Sequence[Turn]) -> Finding:
    return _said(turns, _CALLBACK_SAID)


def opted_out(turns: Sequence[Turn]) -> Finding:
    return _said(turns, _OPT_OUT_SAID)


def _said(turns: Sequence[Turn], pattern: re.Pattern[str]) -> Finding:
    people = by_people(turns)
    for turn in people:
        if pattern.search(plain(turn.text)):
            return Finding(True, 0.9, (turn,))
    # That nobody said it can be seen in a whole transcript.
    return Finding(False, 0.7) if people else UNKNOWN


def sentiment(turns: Sequence[Turn]) -> Finding:
    """Neutral unless somebody put it strongly; then the phrase is the evidence. None where nobody spoke."""
    people = by_people(turns)
    if not people:
        return UNKNOWN
    negative = [turn for turn in people if _strong(_NEGATIVE, turn)]
    positive = [turn for turn in people if _strong(_POSITIVE, turn)]
    if negative and len(negative) >= len(positive):
        return Finding("negative", 0.6, tuple(negative[:3]))
    if positive and not negative:
        return Finding("positive", 0.6, tuple(positive[:3]))
    return Finding("neutral", 0.4)


def _strong(pattern: re.Pattern[str], turn: Turn) -> bool:
    said = plain(turn.text)
    return any(not _DENIED.search(said[: match.start()]) for match in pattern.finditer(said))

"""What callers say to an agent in a real room, until they are understood."""

import pytest
from tests.agent.patience import eventually
from tests.agent.people import Caller
from tests.agent.voices import spoken
from tests.agent_rooms.conftest import Call

from rymi_server.runtime.reports import AnyReport, Drafted, Said

SATURDAY = "what about saturday"
OPEN = "when are you open"
# By this word a line is known. The recogniser is of demonstration quality, and a busy machine loses sound.
WORD = {SATURDAY: "saturday", OPEN: "open"}
CLOSED_THEN, OPEN_THEN = "We are closed on Saturday.", "We are open from nine to five."
RECORDED = {"recording": {"enabled": True, "tracks": True}}


def words(line: str) -> str:
    return "".join(letter for letter in line.lower() if letter.isalpha() or letter == " ").strip()


def heard(call: Call) -> list[tuple[str | None, str]]:
    """Who has said which of the two lines, in order. What was misheard counts for nothing."""
    said = user_lines(call.api.reports)
    return [(who, line) for who, text in said for line, word in WORD.items() if word in text]


async def understood(call: Call, caller: Caller, line: str, voice: str = "slt") -> None:
    """Say it, and again as long as the agent answers something else, like anybody whom it has not understood."""
    before = len(heard(call))
    for _ in range(4):
        lines = len(call.api.lines)
        caller.say(spoken(line, voice))
        await eventually(
            f"{caller.identity} is answered",
            lambda since=lines: [each for each in call.api.lines[since:] if each.startswith("agent")],
        )
        await caller.hears_silence()
        if len(heard(call)) > before:
            break
    assert heard(call)[before:] == [(caller.identity, line)]


async def begins_its_story(call: Call, caller: Caller) -> None:
    """Ask for it, and again as long as the agent says something else instead."""
    for _ in range(4):
        before = len(agent_drafts(call))
        caller.say(spoken("tell me a story"))
        await eventually("the agent says something", lambda since=before: agent_drafts(call)[since:])
        if agent_drafts(call)[before].startswith("Once"):
            return
        await caller.hears_silence()
    pytest.fail(f"no story was begun: {call.api.lines}")


def agent_drafts(call: Call) -> list[str]:
    return [each.line.text for each in call.api.of(Drafted) if each.line.speaker == "agent"]


def answers(call: Call, line: str) -> int:
    return call.api.lines.count(f"agent: {line}")


def user_lines(reports: list[AnyReport]) -> list[tuple[str | None, str]]:
    said = [each.line for each in reports if isinstance(each, Said)]
    return [(line.identity, words(line.text)) for line in said if line.speaker == "user"]

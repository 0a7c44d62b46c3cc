"""The session's agent."""

from collections.abc import AsyncIterator
from typing import Any, cast

from livekit.agents import ModelSettings, llm
from livekit.agents.voice.io import TimedString

from rymi_server.runtime.session.room_agent import RoomAgent, Turns


class TestWhatIsShownOfAnAnswer:
    async def test_comes_word_by_word_and_is_the_same_text(self) -> None:
        agent = RoomAgent("", llm.ChatContext.empty(), [], cast(Turns, None))
        timed = TimedString("at noon", start_time=1.0)

        async def answer() -> AsyncIterator[Any]:
            for piece in ("  We are open. ", "\n", "Come by ", timed):
                yield piece

        pieces = [piece async for piece in agent.transcription_node(answer(), ModelSettings())]
        assert pieces == ["  We ", "are ", "open. ", "\n", "Come ", "by ", "at noon"]
        assert pieces[-1] is timed

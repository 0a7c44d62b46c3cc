"""Who is shown the agent's words while they are for one alone."""

from typing import Any, cast

from livekit import rtc

from rymi_server.runtime.session.hearers import Hearers
from rymi_server.runtime.session.media import ShownText


class Server:
    """As much of a room and of us in it as is asked. Answers whatever it is asked at once."""

    identity = "agent"

    def __init__(self) -> None:
        self.local_participant = self
        self.asked: list[str] = []
        self._told: list[Any] = []

    def on(self, _event: str, told: Any) -> None:
        self._told.append(told)

    def off(self, _event: str, told: Any) -> None:
        self._told.remove(told)

    def set_track_subscription_permissions(self, *, allow_all_participants: bool, **_: Any) -> None:
        self.asked.append("everybody" if allow_all_participants else "one")

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        self.asked.append("answer")
        for told in self._told:
            told(attributes, self)


def text(segment: str, *, final: bool = False, identity: str | None = None) -> ShownText:
    return ShownText(identity, segment, "words", final, 0)


class TestHearers:
    async def test_are_one_once_two_answers_came_and_everybody_again(self) -> None:
        server = Server()
        hearers = Hearers(cast(rtc.Room, server))
        await hearers.narrow("mary")
        assert server.asked == ["one", "answer", "answer"]
        hearers.widen()
        hearers.widen()
        assert server.asked[3:] == ["everybody"]

    async def test_of_words_that_were_begun_for_one_stay_that_one(self) -> None:
        hearers = Hearers(cast(rtc.Room, Server()))
        assert hearers.of(text("before")) is None
        await hearers.narrow("mary")
        assert hearers.of(text("brief")) == ["mary"]
        assert hearers.of(text("of the caller", identity="anna")) is None
        hearers.widen()
        assert hearers.of(text("brief", final=True)) == ["mary"]
        assert hearers.of(text("after")) is None

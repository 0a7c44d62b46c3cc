"""Which words of a recogniser were given out before: `providers.habits`."""

import pytest
from livekit.agents import LanguageCode, stt

from rymi_server.runtime.session.providers.habits import GivenOut, Habits, habits_of


def piece(text: str, start: float = 0.0, end: float = 0.0) -> stt.SpeechData:
    return stt.SpeechData(language=LanguageCode("en"), text=text, start_time=start, end_time=end)


def fresh(given: GivenOut, text: str, *, final: bool = True) -> str | None:
    found = given.fresh(piece(text), final=final)
    return found.text if found is not None else None


class TestWordsOfARunningTurn:
    @pytest.mark.parametrize(
        ("owed", "told", "left"),
        [
            ("yes", "Yes.", None),
            ("my name is", "My name is Sarah Miller", "Sarah Miller"),
            ("my name is", "what are your hours", "what are your hours"),
            ("my number his five", "My number is five. One two.", "One two."),
        ],
    )
    def test_are_those_that_follow_what_was_given_out(self, owed: str, told: str, left: str | None) -> None:
        assert fresh(GivenOut(Habits(), owed=owed), told) == left

    def test_are_cut_from_every_draft_until_the_final(self) -> None:
        given = GivenOut(Habits(), owed="yes")
        assert fresh(given, "Yes. On", final=False) == "On"
        assert fresh(given, "Yes. On Friday.") == "On Friday."
        assert fresh(given, "Yes, please.") == "Yes, please."


class TestWordsWithTimes:
    def test_are_told_apart_by_them(self) -> None:
        given = GivenOut(habits_of("deepgram:nova-3"), until_s=5.0, owed="yes")
        assert given.fresh(piece("yes", 3.0, 4.0), final=True) is None
        assert given.fresh(piece("yes", 5.2, 5.6), final=True) is not None

    def test_mean_nothing_where_they_are_not_those_of_the_line(self) -> None:
        given = GivenOut(habits_of("elevenlabs:scribe_v2_realtime"), until_s=60.0)
        assert given.fresh(piece("yes", 1e-6, 1e-6), final=True) is not None


class TestHabits:
    @pytest.mark.parametrize(
        ("name", "ends"),
        [("deepgram:nova-3", True), ("cartesia:ink-2", True), ("cartesia:ink-whisper", False), ("google:x", False)],
    )
    def test_say_who_tells_the_ends_of_turns(self, name: str, ends: bool) -> None:
        assert habits_of(name).tells_turn_ends is ends

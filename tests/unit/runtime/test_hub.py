"""What the hub tells, on a clock that is told."""

from dataclasses import dataclass, field

import pytest

from rymi_server.runtime.hearing.backchannels import is_backchannel
from rymi_server.runtime.hearing.happenings import (
    BargedIn,
    DraftHeard,
    FloorClosed,
    FloorOpened,
    GuessHeard,
    Happening,
    NotUnderstood,
    SpeakingChanged,
    StillSpeaking,
    TurnEnded,
    WordsHeard,
)
from rymi_server.runtime.hearing.hub import Hub
from rymi_server.runtime.hearing.line_clock import LineClock
from rymi_server.runtime.turn_taking.signals import Began, Ended, EngineUsed, Mode
from rymi_server.speech_engines.promises import Expected, Heard

USED = EngineUsed(Mode.BALANCED, "webrtc", False)


@dataclass
class Story:
    now: float = 10.0
    agent_left_ms: int | None = None
    told: list[Happening] = field(default_factory=list)
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        self.hub = Hub(
            self.told.append,
            lambda: self.now,
            lambda: round(self.now * 1_000),
            lambda: self.agent_left_ms,
            lambda identity: {"p2": "+15550100"}.get(identity, identity),
        )

    def says(self, identity: str, text: str, seconds: float = 1.0) -> None:
        self.begins(identity)
        self.now += seconds
        self.ends(identity)
        self.hub.verdict(identity, Heard(text))

    def begins(self, identity: str) -> None:
        self.hub.began(identity, Began(0, 100), round(self.now * 1_000))

    def ends(self, identity: str) -> None:
        signal = Ended(5_000, 4_350, "silence", 650, "fixed")
        self.hub.ended(identity, signal, round(self.now * 1_000), USED, {"score": 1.0})

    def of(self, *kinds: type) -> list[Happening]:
        return [each for each in self.told if isinstance(each, kinds)]

    @property
    def words(self) -> list[WordsHeard]:
        return [each for each in self.told if isinstance(each, WordsHeard)]


def story_with(*people: str) -> Story:
    story = Story()
    for person in people:
        story.hub.enter(person, gives_drafts=True)
    return story


class TestTheHub:
    def test_tells_of_a_turn_in_order_and_places_it_on_the_calls_clock(self) -> None:
        story = story_with("alice")
        story.says("alice", "  Hello   there ")
        kinds = [type(each) for each in story.told]
        assert kinds == [SpeakingChanged, FloorOpened, SpeakingChanged, TurnEnded, WordsHeard, FloorClosed]
        said = story.words[0].utterance
        assert (said.text, said.labelled, said.started_at_ms, said.ended_at_ms) == ("Hello there",) * 2 + (
            9_900,
            10_350,
        )

    def test_names_the_speakers_once_there_are_two(self) -> None:
        story = story_with("alice", "p2")
        story.says("p2", "When are you open?")
        assert story.words[0].utterance.labelled == "[+15550100] When are you open?"
        assert story.words[0].utterance.identity == "p2"

    def test_names_the_speakers_once_a_second_one_writes(self) -> None:
        story = story_with("alice")
        story.hub.knows("bob")
        story.says("alice", "When are you open?")
        assert story.words[0].utterance.labelled == "[alice] When are you open?"

    def test_says_nothing_of_sound_without_words(self) -> None:
        story = story_with("alice")
        story.says("alice", "")
        assert not story.words
        assert story.of(FloorClosed)

    def test_tells_of_words_none_of_which_is_to_be_believed(self) -> None:
        story = story_with("alice")
        for draft, is_told in (("i need a cleaning", True), ("the", False), ("", False)):
            story.told.clear()
            story.begins("alice")
            story.hub.drafted("alice", draft)
            story.ends("alice")
            story.hub.verdict("alice", Heard(""))
            assert story.of(NotUnderstood) == ([NotUnderstood("alice")] if is_told else [])
            assert not story.words

    @pytest.mark.parametrize(("confidence", "counts"), [(None, True), (0.7, True), (0.69, False)])
    def test_answers_what_a_recogniser_is_sure_enough_of(self, confidence: float | None, counts: bool) -> None:
        story = story_with("alice")
        story.hub.sure_from = 0.7
        story.begins("alice")
        story.now += 1
        story.ends("alice")
        story.hub.verdict("alice", Heard("ten of them please", confidence))
        assert [(each.utterance.text, each.counts) for each in story.words] == [("ten of them please", counts)]
        assert story.of(NotUnderstood) == ([] if counts else [NotUnderstood("alice")])

    def test_asks_nobody_again_who_may_have_coughed(self) -> None:
        story = story_with("alice")
        story.hub.sure_from = 0.7
        story.begins("alice")
        story.ends("alice")
        story.hub.verdict("alice", Heard("huh", 0.2))
        assert story.of(NotUnderstood) == []

    def test_gives_each_utterance_an_id_of_its_own_even_after_a_return(self) -> None:
        story = story_with("alice")
        story.says("alice", "One.")
        story.hub.leave("alice")
        story.hub.enter("alice", gives_drafts=True)
        story.says("alice", "Two.")
        ids = [each.utterance.segment_id for each in story.words]
        assert len(set(ids)) == 2

    def test_keeps_the_order_of_words_that_come_late(self) -> None:
        story = story_with("alice")
        for _ in range(2):
            story.begins("alice")
            story.now += 1
            story.ends("alice")
        story.hub.verdict("alice", Heard("first"))
        story.hub.verdict("alice", Heard("second"))
        assert [each.utterance.segment_id for each in story.words] == ["alice-1", "alice-2"]

    def test_reminds_while_somebody_speaks(self) -> None:
        story = story_with("alice")
        story.begins("alice")
        for _ in range(50):
            story.now += 0.02
            story.hub.tick()
        assert 8 <= len(story.of(StillSpeaking)) <= 11

    def test_guesses_at_a_pause_only_for_one_who_speaks_alone(self) -> None:
        story = story_with("alice", "bob")
        story.begins("alice")
        story.hub.drafted("alice", "what about")
        story.hub.paused("alice")
        assert len(story.of(GuessHeard)) == 1
        story.begins("bob")
        story.hub.paused("alice")
        assert len(story.of(GuessHeard)) == 1

    def test_tells_each_draft_once(self) -> None:
        story = story_with("alice")
        story.hub.drafted("alice", "before anything began")
        story.begins("alice")
        story.hub.drafted("alice", "what")
        story.hub.drafted("alice", "what")
        assert len(story.of(DraftHeard)) == 1


class TestOverTheAgent:
    def test_a_sign_of_listening_is_written_down_and_does_not_count(self) -> None:
        story = story_with("alice")
        story.agent_left_ms = 9_000
        story.says("alice", "Mm-hm, okay.")
        assert [each.counts for each in story.words] == [False]
        assert story.of(BargedIn)

    def test_words_count(self) -> None:
        story = story_with("alice")
        story.agent_left_ms = 9_000
        story.says("alice", "No, stop please.")
        assert [each.counts for each in story.words] == [True]

    def test_a_yes_to_its_last_words_is_an_answer(self) -> None:
        story = story_with("alice")
        story.agent_left_ms = 300
        story.says("alice", "Yes.")
        assert [each.counts for each in story.words] == [True]

    def test_a_yes_is_an_answer_where_one_is_expected(self) -> None:
        story = story_with("alice")
        story.hub.expected = Expected("yes_no")
        story.agent_left_ms = 9_000
        story.says("alice", "Yes.")
        assert [each.counts for each in story.words] == [True]


class TestBackchannels:
    def test_are_short_and_say_nothing(self) -> None:
        assert all(is_backchannel(text, None) for text in ("Mm-hm.", "okay", "yeah, right", "I see", "uh-huh okay"))
        assert not any(is_backchannel(text, None) for text in ("", "yes but", "okay stop", "right now please", "no"))


class TestALinesClock:
    def test_tells_when_sound_was_made_whenever_it_comes(self) -> None:
        clock = LineClock()
        arrivals = [10.00, 10.02, 10.11, 10.11, 10.11, 10.11, 10.12]
        moments = [clock.moment(arrived, 320) for arrived in arrivals]
        assert [round(each, 3) for each in moments] == [10.0, 10.02, 10.04, 10.06, 10.08, 10.1, 10.12]

    def test_learns_that_its_first_piece_was_late(self) -> None:
        clock = LineClock()
        clock.moment(10.5, 320)
        assert round(clock.moment(10.45, 320), 3) == 10.45
        assert round(clock.moment(10.47, 320), 3) == 10.47

    def test_knows_a_pause(self) -> None:
        clock = LineClock()
        clock.moment(10.0, 320)
        assert round(clock.moment(12.0, 320), 3) == 12.0

"""The receptionist that the first start leaves, held to conversations as people hold them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.unit.thinking.promises import ResponderPromises, answer, words

from rymi_server.entrypoints.up.demo import RECEPTIONIST
from rymi_server.runtime.thinking.playbook_responder import PlaybookResponder
from rymi_server.runtime.thinking.replies import EndCall, HandOff, Heard, OptOut, Words
from rymi_server.speech_engines.promises import Expected

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


def mia(remembered: dict[str, Any] | None = None, **more: Any) -> PlaybookResponder:
    return PlaybookResponder.for_agent(RECEPTIONIST, {}, now=lambda: MONDAY, remembered=remembered, **more)


def taken(responder: PlaybookResponder) -> dict[str, Any]:
    return {name: slot["value"] for name, slot in responder.memory()["slots"].items()}


async def hold(responder: PlaybookResponder, *lines: str) -> str:
    """The last answer of a conversation."""
    said = ""
    for line in lines:
        said = await words(responder, line)
    return said


class TestThePromises(ResponderPromises):
    def responder(self, remembered: dict[str, object] | None = None) -> PlaybookResponder:
        return mia(remembered)


class TestBooking:
    async def test_goes_through_the_questions_and_reads_it_all_back(self) -> None:
        responder = mia()
        said = await hold(responder, "Yes please", "A cleaning", "Tuesday", "half past nine", "It's Sarah Miller")
        assert "a cleaning, on Tuesday at nine thirty in the morning, for Sarah Miller. Is that right?" in said
        assert "anything else" in await words(responder, "yes that's right")
        assert taken(responder) == {
            "reason": "a cleaning",
            "day": "2026-03-03",
            "time": "09:30",
            "name": "Sarah Miller",
        }

    async def test_takes_everything_that_is_said_at_once(self) -> None:
        responder = mia()
        said = await words(responder, "I'd like a check-up on Thursday at three")
        assert "name" in said
        assert taken(responder) == {"reason": "a check-up", "day": "2026-03-05", "time": "15:00"}

    @pytest.mark.parametrize(
        ("correction", "slot", "value"),
        [
            ("No, at four", "time", "16:00"),
            ("no, on Friday", "day", "2026-03-06"),
            ("No, my name is Jon Smythe", "name", "Jon Smythe"),
            ("no, a cleaning please", "reason", "a cleaning"),
        ],
    )
    async def test_lets_itself_be_corrected_at_the_end(self, correction: str, slot: str, value: str) -> None:
        responder = mia()
        await hold(responder, "a check-up on Thursday at three", "my name is John Smith")
        assert "Is that right?" in await words(responder, correction)
        assert taken(responder)[slot] == value

    async def test_asks_what_was_wrong_after_a_bare_no(self) -> None:
        responder = mia()
        await hold(responder, "a check-up on Thursday at three", "my name is John Smith")
        assert "What should I change?" in await words(responder, "no")
        assert "name" in await words(responder, "the name")
        assert "for Rob Brown" in await words(responder, "it's Rob Brown")

    async def test_answers_a_question_and_comes_back_to_its_own(self) -> None:
        responder = mia()
        said = await hold(responder, "yes", "a cleaning", "are you open on Saturday?")
        assert "Monday to Friday, from eight in the morning" in said
        assert said.endswith("Which day suits you, from Monday to Friday?")
        assert "day" not in taken(responder)

    async def test_refuses_a_day_on_which_the_clinic_is_closed(self) -> None:
        responder = mia()
        assert "closed at the weekend" in await hold(responder, "yes", "a cleaning", "Saturday")
        assert "at what time" in await words(responder, "Tuesday then")

    async def test_refuses_a_time_outside_the_hours(self) -> None:
        assert "between eight" in await hold(mia(), "a cleaning on Tuesday", "at nine in the evening")

    async def test_asks_for_the_time_within_a_part_of_the_day(self) -> None:
        responder = mia()
        assert "At what time exactly?" in await hold(responder, "a cleaning on Tuesday", "in the morning")
        await words(responder, "ten")
        assert taken(responder)["time"] == "10:00"

    async def test_changes_the_day_when_somebody_changes_their_mind(self) -> None:
        responder = mia()
        await hold(responder, "a cleaning on Tuesday", "Wednesday would be better")
        assert taken(responder)["day"] == "2026-03-04"

    async def test_proposes_where_somebody_does_not_mind(self) -> None:
        responder = mia()
        assert "tomorrow, Tuesday" in await hold(responder, "yes", "a cleaning", "any day")
        assert "ten in the morning" in await words(responder, "whenever you like")

    async def test_is_gentle_with_a_toothache(self) -> None:
        responder = mia()
        assert "sorry to hear" in await words(responder, "I have a terrible toothache")
        await hold(responder, "tomorrow at nine", "Maria Gonzalez")
        assert taken(responder)["reason"] == "a visit because of your toothache"

    async def test_ends_with_the_playbooks_words_once_it_is_booked(self) -> None:
        responder = mia()
        await hold(responder, "a check-up on Thursday at three", "my name is John Smith", "yes")
        assert await answer(responder, "no that's all, thank you") == [
            EndCall("caller_said_goodbye", "Wonderful, we look forward to seeing you. Goodbye!")
        ]

    async def test_does_not_look_forward_to_somebody_who_booked_nothing(self) -> None:
        assert await answer(mia(), "bye") == [
            EndCall("caller_said_goodbye", "Thank you for talking to Harbour Dental. Goodbye!")
        ]


class TestQuestions:
    @pytest.mark.parametrize(
        ("asked", "told"),
        [
            ("what time are you open until", "eight in the morning to six"),
            ("do you work on sundays", "Monday to Friday"),
            ("how much is a cleaning", "ninety"),
            ("what does a check up cost", "sixty"),
            ("where are you located", "Harbour Street"),
            ("how do i get to you", "Harbour Street"),
            ("where can i park my car", "parking behind"),
            ("do you accept my insurance", "most insurances"),
            ("how long does a check up take", "thirty minutes"),
            ("can my kids come too", "Children"),
            ("what should i bring with me", "insurance card"),
            ("that's too expensive for me", "Most insurances pay"),
            ("i'm really scared of dentists", "not alone"),
            ("does it hurt", "not alone"),
            ("i have to move my appointment", "free of charge"),
            ("i want to reschedule", "free of charge"),
            ("my tooth got knocked out", "come right away"),
            ("i am in pain", "sorry to hear"),
            # As a simple recogniser hears them.
            ("i have terrible tooth check", "sorry to hear"),
            ("i need to my appointment", "free of charge"),
            ("can i to human", "Which number"),
            ("are you robot", "virtual assistant"),
        ],
    )
    async def test_are_answered(self, asked: str, told: str) -> None:
        assert told in await words(mia(), asked)

    @pytest.mark.parametrize("asked", ["what is the weather like tomorrow", "do you sell bicycles", "who won the game"])
    async def test_that_it_cannot_answer_are_not_answered(self, asked: str) -> None:
        said = await words(mia(), asked)
        assert said.startswith("Sorry, I did not get that.")

    async def test_are_answered_without_pushing_somebody_who_said_no(self) -> None:
        responder = mia()
        assert "What can I do for you?" in await words(responder, "no")
        said = await words(responder, "where are you located")
        assert "Harbour Street" in said
        assert said.endswith("Is there anything else I can do for you?")


class TestTroubles:
    async def test_offers_a_call_back_when_it_was_lost_twice(self) -> None:
        responder = mia()
        assert "Shall I ask a colleague" in await hold(responder, "blubber blubb", "blubb blah")
        assert "Which number" in await words(responder, "yes")
        assert "five five five, one two three four" in await words(responder, "double five five one two three four")
        assert "one two three five" in await words(responder, "no it's double five five one two three five")
        assert "will call you back" in await words(responder, "yes")

    async def test_goes_on_when_no_call_back_is_wanted(self) -> None:
        assert "let us go on" in await hold(mia(), "blubber blubb", "blubb blah", "no")

    async def test_calls_back_the_number_that_is_calling(self) -> None:
        responder = PlaybookResponder.for_agent(RECEPTIONIST, {"caller_phone": "+12025550100"}, now=lambda: MONDAY)
        assert "will call you back" in await words(responder, "can I talk to a human")

    async def test_hands_over_where_there_is_somebody(self) -> None:
        responder = mia(can_hand_off=True, hand_off_to="+12025550100")
        steps = await answer(responder, "let me speak to a real person please")
        assert isinstance(steps[-1], HandOff)
        assert steps[-1].to == "+12025550100"
        assert "real person" in steps[-1].briefing

    async def test_stops_calling_whoever_wants_that(self) -> None:
        steps = await answer(mia(), "please don't call me again")
        assert steps[0] == OptOut("caller")
        assert isinstance(steps[1], EndCall)

    async def test_repeats_itself(self) -> None:
        responder = mia()
        said = await words(responder, "where are you")
        assert await words(responder, "sorry, what did you say?") == said

    async def test_says_that_it_is_a_machine(self) -> None:
        assert "virtual assistant" in await words(mia(), "are you a robot?")

    async def test_waits(self) -> None:
        assert await words(mia(), "hold on a second") == "Take your time."

    async def test_says_nothing_to_a_hesitation(self) -> None:
        assert await answer(mia(), "um, uh") == []
        assert await answer(mia(), "") == []

    def test_prompts_a_silent_caller_with_its_question(self) -> None:
        assert mia().silence(0) == "Are you still there? Would you like to book an appointment?"
        assert mia().silence(2) is None

    def test_says_so_where_no_word_was_clear_and_asks_again(self) -> None:
        question = "Would you like to book an appointment?"
        assert mia().not_understood(0) == f"Sorry, I did not get that. {question}"
        assert mia().not_understood(1) == f"I am sorry, could you say that in other words? {question}"

    @pytest.mark.parametrize(
        "noise", ["\x00", "🙂🙂", "' or 1=1 --", "{{name}}", "a" * 20_000, "<b>yes</b>", "нет спасибо"]
    )
    async def test_is_not_upset_by_anything(self, noise: str) -> None:
        responder = mia()
        await answer(responder, noise)
        assert "Great" in (said := await words(responder, "yes")) or said


class TestSeveralPeople:
    async def test_are_each_answered_in_one_turn(self) -> None:
        steps = await answer(mia(), Heard("ann", "a cleaning on Tuesday"), Heard("bob", "is there parking"))
        said = " ".join(step.text for step in steps if isinstance(step, Words))
        assert "a cleaning, tomorrow, Tuesday" in said
        assert "parking behind" in said
        assert said.count("?") == 1

    async def test_may_leave_one_by_one(self) -> None:
        responder = mia()
        await answer(responder, Heard("ann", "yes"), Heard("bob", "hello"))
        assert await words(responder, Heard("ann", "goodbye")) == "Goodbye!"
        assert isinstance((await answer(responder, Heard("bob", "goodbye")))[-1], EndCall)

    async def test_who_are_silent_are_not_hung_up_on(self) -> None:
        responder = mia(present=lambda: 2)
        assert await words(responder, Heard("ann", "goodbye")) == "Goodbye!"

    async def test_can_opt_out_without_ending_it_for_the_others(self) -> None:
        responder = mia()
        await answer(responder, Heard("ann", "yes"), Heard("bob", "hello"))
        steps = await answer(responder, Heard("bob", "do not call me again"))
        assert OptOut("bob") in steps
        assert not any(isinstance(step, EndCall) for step in steps)


class TestExpected:
    async def test_follows_the_question(self) -> None:
        responder = mia()
        assert responder.expected == Expected("choice")
        await words(responder, "yes")
        assert responder.expected is not None
        assert responder.expected.kind == "choice"
        assert "cleaning" in responder.expected.choices
        await words(responder, "a cleaning")
        assert responder.expected is not None
        assert responder.expected.kind == "date"
        await words(responder, "Tuesday")
        assert responder.expected == Expected("time")
        await words(responder, "ten")
        assert responder.expected == Expected("name")
        await words(responder, "Anna")
        # A correction is as likely as a yes.
        assert responder.expected == Expected("choice")

    async def test_is_yes_or_no_where_nothing_else_makes_sense(self) -> None:
        responder = mia()
        await hold(responder, "blubber blubb", "blubb blah")
        assert responder.expected == Expected("yes_no")

"""A call that the demo's receptionist held, read without a model: what was booked is found again."""

from datetime import UTC, datetime

from tests.unit.thinking.promises import answer

from rymi_server.entrypoints.up.demo import RECEPTIONIST
from rymi_server.intelligence.analysing import analyse
from rymi_server.intelligence.analysis import AnalysisRequest, AnalysisResult
from rymi_server.intelligence.language_models import NoModels
from rymi_server.runtime.thinking.playbook_responder import PlaybookResponder
from rymi_server.runtime.thinking.replies import EndCall, Words
from rymi_server.transcripts.models import Entry, Speaker

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
POST_CALL = {
    "structured_extraction": {
        "json_schema": {
            "type": "object",
            "properties": {
                "booked_appointment": {"type": "boolean"},
                "preferred_date": {"type": "string"},
                "preferred_time": {"type": "string"},
                "customer_name": {"type": "string"},
                "callback_requested": {"type": "boolean"},
            },
        }
    },
    "evaluation": {"criteria": "Did the agent successfully book an appointment?"},
}


async def held(*lines: str) -> AnalysisResult:
    responder = PlaybookResponder.for_agent(RECEPTIONIST, {}, now=lambda: MONDAY)
    said = [(Speaker.AGENT, responder.opener or "")]
    for line in lines:
        said.append((Speaker.USER, line))
        steps = await answer(responder, line)
        words = [step.text for step in steps if isinstance(step, Words)]
        words += [step.farewell for step in steps if isinstance(step, EndCall)]
        said.append((Speaker.AGENT, " ".join(words)))
    entries = [Entry(n, None, None, who, text, n, n, True, "runtime") for n, (who, text) in enumerate(said)]
    request = AnalysisRequest(entries, POST_CALL, agent=RECEPTIONIST, started_at=MONDAY, end_reason="completed")
    return await analyse(request, NoModels())


class TestACallOfTheDemo:
    async def test_that_books_is_read_as_booked(self) -> None:
        result = await held(
            *("Yes please.", "How much is a cleaning?", "I need a cleaning.", "On Wednesday.", "At ten o'clock."),
            *("My name is Anna.", "Yes, that is right.", "No thank you."),
        )
        assert result.structured_data == {
            "booked_appointment": True,
            "preferred_date": "2026-03-04",
            "preferred_time": "10:00",
            "customer_name": "Anna",
            "callback_requested": False,
        }
        assert result.evaluation is not None
        assert result.evaluation["passed"] is True
        assert result.summary is not None
        assert result.summary.startswith("Anna talked to Harbour Dental.")

    async def test_that_books_is_summed_up_by_what_is_booked(self) -> None:
        result = await held(
            *("Yes please.", "What are your opening hours?", "I have a terrible toothache.", "On Wednesday."),
            *(
                "At half past three in the afternoon.",
                "My name is Anna Miller.",
                "Yes, that is right.",
                "No thank you.",
            ),
        )
        assert result.summary is not None
        assert 'They said: "I have a terrible toothache." Outcome: it was booked' in result.summary

    async def test_that_only_asks_is_not(self) -> None:
        result = await held("No.", "Where are you?", "No thanks, bye.")
        assert result.structured_data is not None
        assert result.structured_data["booked_appointment"] is False
        assert result.evaluation is not None
        assert result.evaluation["passed"] is False

    async def test_that_was_broken_off_before_the_yes_is_not(self) -> None:
        result = await held("I want a check-up on Thursday at three.", "My name is Anna.", "I have to go, bye.")
        assert result.structured_data is not None
        assert result.structured_data["booked_appointment"] is False

    async def test_that_wants_a_call_back_is_read_so(self) -> None:
        result = await held("Can you call me back tomorrow?", "555 123 4567", "yes", "no thanks")
        assert result.structured_data is not None
        assert result.structured_data["callback_requested"] is True
        assert result.structured_data["booked_appointment"] is False

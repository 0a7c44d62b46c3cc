"""What is read off a transcript without a model: `intelligence/heuristics.py`."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.unit.intelligence.past_conversations import (
    CLINIC,
    CLINIC_SCHEMA,
    CRITERION,
    SOLAR,
    SOLAR_SCHEMA,
    entries,
)

from rymi_server.intelligence.analysis import AnalysisRequest
from rymi_server.intelligence.heuristics import UNDECIDABLE, Heuristics

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


def request(transcript: str, **more: Any) -> AnalysisRequest:
    return AnalysisRequest(entries(transcript), {}, started_at=MONDAY, **more)


def look(transcript: str, **more: Any) -> Heuristics:
    return Heuristics(request(transcript, **more))


def extract(transcript: str, **properties: Any) -> dict[str, Any]:
    return look(transcript).extract({"type": "object", "properties": properties}).data


class TestExtraction:
    @pytest.mark.parametrize(("transcript", "expected"), [(each[0], each[1]) for each in CLINIC])
    def test_writes_down_what_a_careful_listener_would(self, transcript: str, expected: dict[str, Any]) -> None:
        found = look(transcript).extract(CLINIC_SCHEMA).data
        # What nobody said is null; an `other` is not made of it.
        assert found == {name: None if value == "other" else value for name, value in expected.items()}

    @pytest.mark.parametrize(("transcript", "expected"), [(each[0], each[1]) for each in SOLAR])
    def test_invents_nothing_about_another_trade(self, transcript: str, expected: dict[str, Any]) -> None:
        found = look(transcript).extract(SOLAR_SCHEMA).data
        said = {name: value for name, value in expected.items() if value not in (None, False, "unknown")}
        assert {name: found[name] for name in said if found[name] is not None} == {
            name: value for name, value in said.items() if found[name] is not None
        }
        assert not any(found[name] for name in expected.keys() - said.keys())

    def test_finds_most_of_what_was_said_about_another_trade(self) -> None:
        found = [(look(call).extract(SOLAR_SCHEMA).data, expected) for call, expected, _ in SOLAR]
        told = [
            (data[name], value)
            for data, expected in found
            for name, value in expected.items()
            if value and value != "unknown"
        ]
        assert sum(one == other for one, other in told) >= len(told) - 4

    def test_shows_the_line_that_a_value_comes_from(self) -> None:
        finding = look(CLINIC[0][0]).extract(CLINIC_SCHEMA).findings["phone_number"]
        provenance = finding.provenance()
        assert provenance["method"] == "heuristic"
        assert provenance["confidence"] == 0.9
        assert provenance["evidence"] == [{"sequence": 7, "quote": "five five five one two three four five six seven"}]

    def test_has_no_evidence_for_what_it_does_not_know(self) -> None:
        finding = look("U: hello").extract(CLINIC_SCHEMA).findings["email"]
        assert finding.provenance() == {"method": "heuristic", "confidence": None, "evidence": []}

    def test_reckons_days_where_the_tenant_is(self) -> None:
        late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
        asked = AnalysisRequest(
            entries("U: I would like to come tomorrow."), {}, started_at=late, time_zone=ZoneInfo("Asia/Tokyo")
        )
        schema = {"type": "object", "properties": {"date": {"type": "string", "format": "date"}}}
        assert Heuristics(asked).extract(schema).data == {"date": "2026-03-04"}

    def test_knows_no_day_of_a_call_that_never_started(self) -> None:
        asked = AnalysisRequest(entries("U: I would like to come tomorrow."), {})
        schema = {"type": "object", "properties": {"date": {"type": "string", "format": "date"}}}
        assert Heuristics(asked).extract(schema).data == {"date": None}

    @pytest.mark.parametrize(
        ("said", "value"),
        [
            ("A: How many users are you?\nU: About two hundred and forty.", 240),
            ("U: We have 12 users.", 12),
            ("U: I called you 3 times in 2 days.", None),
            ("A: How many users are you?\nU: It costs 40 dollars.", None),
            ("A: How many users?\nU: Between ten and twenty.", None),
            ("U: My number is 555 123 4567.", None),
        ],
    )
    def test_takes_a_number_only_where_it_is_about_the_field(self, said: str, value: int | None) -> None:
        assert extract(said, number_of_users={"type": "integer"}) == {"number_of_users": value}

    def test_leaves_out_a_value_that_does_not_fit(self) -> None:
        found = extract("A: How many users?\nU: 500 users.", number_of_users={"type": "integer", "maximum": 100})
        assert found == {"number_of_users": None}

    def test_follows_references_and_objects_within(self) -> None:
        schema = {
            "type": "object",
            "$defs": {"who": {"type": "object", "properties": {"name": {"type": "string"}}}},
            "properties": {
                "contact": {"$ref": "#/$defs/who"},
                "email": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            },
        }
        found = look("U: My name is Ann Lee, ann at example dot com").extract(schema).data
        assert found == {"contact": {"name": "Ann Lee"}, "email": "ann@example.com"}

    def test_does_not_loop_in_a_schema_that_contains_itself(self) -> None:
        node: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
        schema = {"$defs": {"node": node}, **node}
        assert "next" in look("U: hello").extract(schema).data


class TestSentiment:
    @pytest.mark.parametrize(("transcript", "mood"), [(each[0], each[2]) for each in CLINIC])
    def test_is_what_was_plainly_said(self, transcript: str, mood: str) -> None:
        assert look(transcript).sentiment().value == mood

    def test_shows_the_phrase(self) -> None:
        assert look(CLINIC[2][0]).sentiment().turns[0].text == "I'm not interested, please stop calling me."

    def test_is_neutral_where_nothing_strong_was_said(self) -> None:
        assert look("U: I would like to know when you open. Okay, bye.").sentiment().value == "neutral"

    def test_is_not_turned_by_a_denial(self) -> None:
        assert look("U: It was not terrible.").sentiment().value == "neutral"

    def test_of_a_silent_call_is_unknown(self) -> None:
        assert look("A: Hello?").sentiment().value is None


class TestEvaluation:
    @pytest.mark.parametrize(("transcript", "passed"), [(each[0], each[3]) for each in CLINIC])
    def test_decides_through_what_was_found_out(self, transcript: str, passed: bool) -> None:
        heuristics = look(transcript)
        judged = heuristics.evaluate(CRITERION, heuristics.extract(CLINIC_SCHEMA))
        assert judged.evaluation["passed"] is passed
        assert judged.evaluation["score"] == float(passed)

    def test_decides_an_outcome_without_a_schema(self) -> None:
        judged = look(CLINIC[0][0]).evaluate(CRITERION, None)
        assert judged.evaluation["passed"] is True
        assert "booked for Tuesday" in judged.evaluation["reasoning"]

    def test_says_what_it_cannot_decide(self) -> None:
        judged = look(CLINIC[0][0]).evaluate("Was the agent empathetic?", None)
        assert judged.evaluation == {"passed": None, "score": None, "reasoning": f"{UNDECIDABLE}."}

    def test_does_not_pass_what_it_decided_only_in_part(self) -> None:
        heuristics = look(CLINIC[0][0])
        judged = heuristics.evaluate(f"{CRITERION}\nWas the agent empathetic?", None)
        assert judged.evaluation["passed"] is None
        assert UNDECIDABLE in judged.evaluation["reasoning"]


class TestSummary:
    def test_says_who_what_and_how_it_ended(self) -> None:
        said = look(CLINIC[7][0], agent={"persona": {"companyName": "Northside Dental"}}).summary(None)
        assert said.startswith("David Brown talked to Northside Dental.")
        assert "I want to schedule a cleaning for March 15th" in said
        assert "Outcome: it was booked" in said

    @pytest.mark.parametrize(
        ("call", "quoted"),
        [
            (0, "Hi, I'd like to book an appointment please."),
            (4, "I need to cancel my appointment on Friday. My name is John Smith."),
            (6, "Wonderful, and do you take Delta insurance?"),
            (9, "I can't wait until tomorrow. I will try another dentist."),
        ],
    )
    def test_quotes_what_the_call_was_about_and_no_answer_to_a_question(self, call: int, quoted: str) -> None:
        assert f'They said: "{quoted}"' in look(CLINIC[call][0]).summary(None)

    @pytest.mark.parametrize(
        ("transcript", "summary"),
        [("A: Hello?", "The agent spoke, and nobody answered."), ("U: ", "Nobody said anything.")],
    )
    def test_of_a_call_without_words(self, transcript: str, summary: str) -> None:
        assert look(transcript).summary(None) == summary

    def test_counts_several_callers(self) -> None:
        assert look("U(ann): I want to book.\nU(bob): Me too.").summary(None).startswith("2 callers talked")

"""What is told of a call: everything so far, in order, under ids that stay the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rymi_server.calls.models import (
    Call,
    CallStatus,
    Direction,
    IntelligenceStatus,
    Participant,
    ParticipantStatus,
    Role,
    Transport,
)
from rymi_server.foundation.ids import AgentId, CallId, ParticipantId, TenantId
from rymi_server.webhooks.call_news import AfterTheCall, news_of
from rymi_server.webhooks.persistence import (
    AT_ONCE,
    BREAKS_AFTER,
    MOST_ATTEMPTS,
    break_until,
    may_begin,
    next_attempt,
)
from rymi_server.webhooks.telling import body_of

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALL = Call(
    id=CallId("call"),
    tenant_id=TenantId("acme"),
    agent_id=AgentId("agent"),
    direction=Direction.OUTBOUND,
    status=CallStatus.IN_PROGRESS,
    end_reason=None,
    metadata={},
    variables={},
    post_call={},
    batch_id=None,
    rate_per_minute=Decimal("0.05"),
    bill_duration=None,
    total_cost=None,
    intelligence_status=IntelligenceStatus.NOT_STARTED,
    created_at=NOW,
    started_at=NOW,
    ended_at=None,
)
ENDED = replace(CALL, status=CallStatus.COMPLETED, ended_at=NOW + timedelta(seconds=60))


def person(**changed: Any) -> Participant:
    values = {
        "id": ParticipantId("ann"),
        "call_id": CALL.id,
        "tenant_id": CALL.tenant_id,
        "role": Role.CUSTOMER,
        "transport": Transport.WEBRTC,
        "identity": "ann",
        "status": ParticipantStatus.ACTIVE,
        "metadata": {},
        "leave_reason": None,
        "created_at": NOW,
        "joined_at": NOW,
        "left_at": None,
    }
    return Participant(**{**values, **changed})


_NOTHING_YET = AfterTheCall()


def told(call: Call, people: list[Participant], after: AfterTheCall = _NOTHING_YET, now: datetime = NOW) -> list[str]:
    return [each.event for each in news_of(call, people, after, {}, now)]


class TestNews:
    def test_of_one_moment_has_its_cause_first(self) -> None:
        assert told(CALL, [person()]) == ["call.started", "participant.joined"]

    def test_says_nothing_of_the_agent(self) -> None:
        assert told(CALL, [person(role=Role.AGENT)]) == ["call.started"]

    def test_comes_in_the_order_in_which_it_happened(self) -> None:
        late = person(id=ParticipantId("bob"), joined_at=NOW + timedelta(seconds=5))
        gone = person(status=ParticipantStatus.LEFT, left_at=NOW + timedelta(seconds=3))
        events = news_of(CALL, [late, gone], AfterTheCall(), {}, NOW)
        assert [(each.event, each.data.get("participant", {}).get("id")) for each in events] == [
            ("call.started", None),
            ("participant.joined", "ann"),
            ("participant.left", "ann"),
            ("participant.joined", "bob"),
        ]

    def test_of_the_end_waits_for_what_comes_after_it(self) -> None:
        gone = person(status=ParticipantStatus.LEFT, left_at=ENDED.ended_at)
        assert told(ENDED, [gone]) == ["call.started", "participant.joined", "participant.left"]
        done = NOW + timedelta(seconds=62)
        after = AfterTheCall(done_at=done, analysed_at=done - timedelta(seconds=1), revision=1)
        assert told(ENDED, [gone], after)[-2:] == ["call.completed", "call.intelligence.ready"]

    def test_of_a_second_analysis_is_news_and_the_rest_is_not(self) -> None:
        after = AfterTheCall(done_at=NOW, analysed_at=NOW, revision=1)
        first = news_of(ENDED, [], after, {}, NOW)
        again = news_of(ENDED, [], replace(after, revision=2, analysed_at=NOW + timedelta(hours=1)), {}, NOW)
        new = {each.event_id for each in again} - {each.event_id for each in first}
        assert [each.event for each in again if each.event_id in new] == ["call.intelligence.ready"]

    def test_that_is_days_old_is_told_no_more(self) -> None:
        assert told(CALL, [person()], now=NOW + timedelta(days=3)) == []

    def test_of_a_call_that_failed_is_that(self) -> None:
        failed = replace(ENDED, status=CallStatus.FAILED, started_at=None)
        never = person(status=ParticipantStatus.FAILED, joined_at=None, left_at=failed.ended_at)
        assert told(failed, [never], AfterTheCall(done_at=NOW)) == ["participant.left", "call.failed"]

    def test_is_the_same_in_whatever_zone_it_was_read(self) -> None:
        def read_in(zone: tzinfo) -> list[tuple[Any, ...]]:
            joined_at, left_at = (at.astimezone(zone) for at in (NOW, NOW + timedelta(seconds=3)))
            call = replace(CALL, started_at=joined_at)
            gone = person(status=ParticipantStatus.LEFT, joined_at=joined_at, left_at=left_at)
            news = news_of(call, [gone], AfterTheCall(), {}, NOW)
            return [(each.event_id, body_of(each)) for each in news]

        assert read_in(ZoneInfo("Asia/Kolkata")) == read_in(UTC)


class TestPersistence:
    def test_is_eight_attempts_over_a_day(self) -> None:
        at, waits = NOW, []
        for attempt in range(1, MOST_ATTEMPTS):
            again = next_attempt(attempt, at)
            assert again is not None
            waits.append(again - at)
            at = again
        assert next_attempt(MOST_ATTEMPTS, at) is None
        assert waits == sorted(waits)
        assert timedelta(hours=24) <= at - NOW <= timedelta(hours=26)

    def test_leaves_a_broken_endpoint_alone_for_longer_and_longer(self) -> None:
        assert break_until(BREAKS_AFTER - 1, NOW) is None
        breaks = [(break_until(failures, NOW) or NOW) - NOW for failures in range(BREAKS_AFTER, 10_000, 7)]
        assert breaks[0] == timedelta(seconds=30)
        assert breaks == sorted(breaks)
        assert breaks[-1] == timedelta(hours=1)

    def test_tries_a_broken_endpoint_with_one(self) -> None:
        assert may_begin(0, AT_ONCE - 1, 0)
        assert not may_begin(0, AT_ONCE, 0)
        assert may_begin(BREAKS_AFTER, 0, 0)
        assert not may_begin(BREAKS_AFTER, 1, 0)
        assert not may_begin(0, 0, 12)

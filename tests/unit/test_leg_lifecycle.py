"""How a leg lives: `telephony/lifecycle.py`."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rymi_server.calls.models import Direction
from rymi_server.foundation.ids import CallId, LegId, ParticipantId, TenantId
from rymi_server.telephony.carriers.carrier import AnsweredBy, LegReport
from rymi_server.telephony.lifecycle import advance, is_about
from rymi_server.telephony.models import Leg, LegReason, LegStatus

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LEG = Leg(
    id=LegId("leg_1"),
    call_id=CallId("c"),
    participant_id=ParticipantId("p"),
    tenant_id=TenantId("t"),
    provider="twilio",
    provider_call_id=None,
    direction=Direction.OUTBOUND,
    status=LegStatus.QUEUED,
    reason=None,
    from_number="+15550000001",
    to_number="+15550000002",
    bill_duration=None,
    cost=None,
    claimed_at=NOW,
    created_at=NOW,
    ended_at=None,
)
LIFE = (LegStatus.QUEUED, LegStatus.RINGING, LegStatus.IN_PROGRESS, LegStatus.COMPLETED)


def after(leg: Leg, *reports: LegReport) -> Leg:
    for report in reports:
        leg = replace(leg, **advance(leg, report, NOW).values)
    return leg


class TestAdvance:
    @pytest.mark.parametrize("order", list(itertools.permutations(LIFE)), ids=lambda order: "-".join(order))
    def test_comes_to_the_same_end_in_whatever_order_it_is_told(self, order: tuple[LegStatus, ...]) -> None:
        leg = after(LEG, *(LegReport("CA1", status) for status in order))
        assert (leg.status, leg.ended_at, leg.answered_at) == (LegStatus.COMPLETED, NOW, NOW)

    def test_is_not_moved_by_what_it_has_heard_before(self) -> None:
        ringing = after(LEG, LegReport("CA1", LegStatus.RINGING))
        assert advance(ringing, LegReport("CA1", LegStatus.RINGING), NOW).reached is None
        assert advance(ringing, LegReport("CA1", LegStatus.QUEUED), NOW).reached is None

    def test_stays_over(self) -> None:
        busy = after(LEG, LegReport("CA1", LegStatus.FAILED, LegReason.BUSY))
        later = after(busy, LegReport("CA1", LegStatus.COMPLETED), LegReport("CA1", LegStatus.IN_PROGRESS))
        assert (later.status, later.reason) == (LegStatus.FAILED, LegReason.BUSY)

    def test_lets_what_is_late_fill_what_was_not_known_and_change_nothing_else(self) -> None:
        ended = after(LEG, LegReport("CA1", LegStatus.COMPLETED, bill_seconds=30, cause="SIP 200"))
        assert (ended.cost, ended.cost_currency) == (None, None)
        priced = after(
            ended,
            LegReport(
                "CA1",
                bill_seconds=60,
                cost=Decimal("0.014"),
                cost_currency="EUR",
                answered_by=AnsweredBy.HUMAN,
                cause="other",
            ),
        )
        assert (priced.bill_duration, priced.cost, priced.cost_currency, priced.answered_by, priced.cause) == (
            30,
            Decimal("0.014"),
            "EUR",
            AnsweredBy.HUMAN,
            "SIP 200",
        )

    def test_says_that_nobody_was_heard_where_it_was_answered_without_audio(self) -> None:
        assert after(LEG, LegReport("CA1", LegStatus.COMPLETED)).reason is LegReason.NO_MEDIA
        talked = replace(LEG, bridged_at=NOW)
        assert after(talked, LegReport("CA1", LegStatus.COMPLETED)).reason is None

    def test_has_a_reason_for_every_failure(self) -> None:
        assert after(LEG, LegReport("CA1", LegStatus.FAILED)).reason is LegReason.CARRIER


class TestIsAbout:
    def test_learns_the_name_of_the_call_from_whoever_is_first(self) -> None:
        assert is_about(LEG, LegReport("CA1"))
        assert after(LEG, LegReport("CA1")).provider_call_id == "CA1"

    def test_is_not_about_another_leg_of_the_call(self) -> None:
        assert not is_about(replace(LEG, provider_call_id="CA1"), LegReport("CA2", LegStatus.COMPLETED))

    def test_knows_the_call_by_either_of_two_names_and_keeps_its_own(self) -> None:
        placed = replace(LEG, provider_call_id="request-1")
        report = LegReport("call-1", LegStatus.RINGING, aliases=("request-1",))
        assert is_about(placed, report)
        assert after(placed, report).provider_call_id == "call-1"

"""How a call lives: `calls/lifecycle.py`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rymi_server.calls.lifecycle import connected_seconds, final_status, is_over, status_on_create
from rymi_server.calls.models import CallStatus, Participant, ParticipantStatus, Role, Transport
from rymi_server.foundation.ids import CallId, ParticipantId, TenantId

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PERSON = Participant(
    id=ParticipantId("p"),
    call_id=CallId("c"),
    tenant_id=TenantId("t"),
    role=Role.CUSTOMER,
    transport=Transport.WEBRTC,
    identity="browser",
    status=ParticipantStatus.ACTIVE,
    metadata={},
    leave_reason=None,
    created_at=NOON,
    joined_at=NOON,
    left_at=None,
)
AGENT = replace(PERSON, role=Role.AGENT, transport=Transport.INTERNAL)
LISTENER = replace(PERSON, role=Role.OBSERVER)
RUNG = replace(PERSON, transport=Transport.PSTN, status=ParticipantStatus.JOINING, joined_at=None)
HUMAN = replace(RUNG, metadata={"transfer": {"mode": "warm", "briefing": "", "agent": "stay"}})


def gone(status: ParticipantStatus = ParticipantStatus.LEFT) -> Participant:
    return replace(PERSON, status=status)


class TestIsOver:
    def test_ends_when_the_last_person_leaves_the_agent_alone(self) -> None:
        assert is_over([gone(), gone(ParticipantStatus.FAILED), AGENT])

    def test_goes_on_while_anybody_is_there(self) -> None:
        assert not is_over([gone(), PERSON, AGENT])

    def test_goes_on_while_somebody_is_still_expected(self) -> None:
        assert not is_over([gone(), replace(PERSON, status=ParticipantStatus.QUEUED)])

    def test_ends_when_nobody_is_left_for_the_human_who_is_rung(self) -> None:
        assert is_over([gone(), HUMAN, replace(HUMAN, status=ParticipantStatus.QUEUED), AGENT])
        assert is_over([gone(), HUMAN, LISTENER])

    def test_goes_on_while_somebody_waits_for_the_human_who_is_rung(self) -> None:
        assert not is_over([gone(), PERSON, HUMAN, AGENT])
        assert not is_over([gone(), RUNG, HUMAN])

    def test_goes_on_with_the_human_who_has_come(self) -> None:
        assert not is_over([gone(), replace(HUMAN, status=ParticipantStatus.ACTIVE, joined_at=NOON), HUMAN])

    def test_takes_a_customers_own_word_for_no_transfer(self) -> None:
        assert not is_over([gone(), replace(RUNG, metadata={"transfer": {"mode": "bus"}})])

    def test_is_not_over_before_anybody_was_invited(self) -> None:
        assert not is_over([AGENT])


class TestStatusOnCreate:
    def test_waits_for_a_browser_to_connect(self) -> None:
        assert status_on_create([Transport.PSTN, Transport.WEBRTC]) is CallStatus.CONNECTING

    def test_waits_in_the_queue_with_phones_alone(self) -> None:
        assert status_on_create([Transport.PSTN]) is CallStatus.QUEUED


class TestFinalStatus:
    def test_has_failed_when_nobody_ever_came_in(self) -> None:
        assert final_status([replace(gone(), joined_at=None), AGENT]) is CallStatus.FAILED

    def test_is_completed_when_somebody_did(self) -> None:
        assert final_status([gone(), replace(gone(), joined_at=None)]) is CallStatus.COMPLETED


class TestConnectedSeconds:
    def test_runs_from_the_first_person_in_to_the_last_one_out(self) -> None:
        early = replace(PERSON, joined_at=NOON, left_at=NOON + timedelta(seconds=50))
        late = replace(PERSON, joined_at=NOON + timedelta(seconds=20), left_at=NOON + timedelta(seconds=95))
        assert connected_seconds([early, late, AGENT], NOON + timedelta(hours=1)) == 95

    def test_runs_until_now_for_who_is_still_in(self) -> None:
        assert connected_seconds([PERSON], NOON + timedelta(seconds=7)) == 7

    def test_is_unknown_when_nobody_came(self) -> None:
        assert connected_seconds([replace(PERSON, joined_at=None), AGENT], NOON) is None

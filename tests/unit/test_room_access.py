"""What lets a participant into a room: `rooms/access.py`."""

from dataclasses import replace
from datetime import UTC, datetime

from livekit.api import TokenVerifier
from livekit.api.access_token import Claims

from rymi_server.calls.models import Participant, ParticipantStatus, Role, Transport
from rymi_server.foundation.ids import CallId, ParticipantId, TenantId
from rymi_server.rooms.access import access_for
from rymi_server.rooms.livekit_server import LiveKit

LIVEKIT = LiveKit("ws://inside:7880", "wss://outside", "devkey", "a-secret-of-at-least-32-characters!")
PERSON = Participant(
    id=ParticipantId("p-1"),
    call_id=CallId("c-1"),
    tenant_id=TenantId("t-1"),
    role=Role.CUSTOMER,
    transport=Transport.WEBRTC,
    identity="browser-1",
    status=ParticipantStatus.JOINING,
    metadata={"seat": 4},
    leave_reason=None,
    created_at=datetime.now(UTC),
    joined_at=None,
    left_at=None,
)


def read(participant: Participant) -> Claims:
    token = access_for(LIVEKIT, participant, datetime.now(UTC))["token"]
    return TokenVerifier(LIVEKIT.api_key, LIVEKIT.api_secret).verify(token)


class TestAccess:
    def test_is_read_by_livekit_s_own_verifier(self) -> None:
        claims = read(PERSON)
        assert (claims.identity, claims.metadata) == ("browser-1", '{"seat": 4}')
        assert claims.attributes == {"rymi.participant_id": "p-1"}
        assert claims.video.room == "call_c-1"
        assert claims.video.room_join
        assert claims.video.can_publish
        assert claims.video.can_publish_sources == ["microphone"]

    def test_lets_an_observer_only_listen(self) -> None:
        grants = read(replace(PERSON, role=Role.OBSERVER)).video
        assert grants.can_subscribe
        assert not grants.can_publish
        assert not grants.can_publish_data
        assert not grants.can_publish_sources

    def test_sends_browsers_to_the_public_address(self) -> None:
        assert access_for(LIVEKIT, PERSON, datetime.now(UTC))["url"] == "wss://outside"

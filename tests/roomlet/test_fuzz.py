"""Every parser, fed what no client sends: it refuses in its own words or copes, and nothing else comes out of it."""

import base64
import contextlib
import time
from typing import Any

import jwt
import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from livekit.protocol import agent, models, rtc
from livekit.protocol import room as protocol
from tests.roomlet.hostile_input import DESCRIPTIONS, JSON, NOISE, bent
from tests.roomlet.test_descriptions import AUDIO, DATA
from tests.roomlet.test_packets import extended
from tests.roomlet.test_stun import PASSWORD, SAMPLE

from roomlet import answers, data, rtcp, sdp, signal, stun, twirp
from roomlet.answers import Incoming, Outgoing
from roomlet.dtls import Certificate, DtlsPeer, HandshakeFailed
from roomlet.errors import Malformed, NotPermitted, Unauthenticated
from roomlet.ice import IcePorts
from roomlet.joining import join_request_of, read_request, unwrap_join_request
from roomlet.limits import Limits
from roomlet.metrics import Counters
from roomlet.participant import Participant
from roomlet.reception import Reception
from roomlet.room import Room
from roomlet.rooms import RoomRequest, Rooms
from roomlet.rtp import BadPacket, payload_start, red_primary
from roomlet.sdp import BadDescription, LocalTransport
from roomlet.settings import Settings
from roomlet.tokens import Claims, Grants, Keyring
from roomlet.transport import PeerTransport

KEY, SECRET = "key", "a-secret-that-is-long-enough-for-tests"
KEYRING, LIMITS, CERTIFICATE = Keyring(KEY, SECRET), Limits(), Certificate()
LOCAL = LocalTransport("ours", "password", "AA:BB", ())
GOOD_OFFER = AUDIO.format(mid="0", direction="sendonly") + "a=ssrc:7 cname:x\na=msid:- mic\n" + DATA.format(mid="1")
quiet = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
asynchronous = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class TestPackets:
    @given(NOISE | bent(SAMPLE))
    @quiet
    def test_stun(self, packet: bytes) -> None:
        request = stun.parse_binding_request(packet)
        if request is not None and request.is_signed_with(PASSWORD):
            assert request.covered[8:20] == SAMPLE[8:20]

    @given(
        NOISE.filter(lambda b: len(b) >= 12) | bent(extended(b"\x10\x2a")).filter(lambda b: len(b) >= 12),
        st.integers(0, 14),
    )
    @quiet
    def test_rtp(self, packet: bytes, level_id: int) -> None:
        with contextlib.suppress(BadPacket):
            start, level = payload_start(packet, level_id)
            assert 12 <= start <= len(packet)
            assert -1 <= level <= 127

    @given(NOISE)
    @quiet
    def test_redundancy(self, payload: bytes) -> None:
        with contextlib.suppress(BadPacket):
            assert payload.endswith(red_primary(payload))

    @given(NOISE | bent(rtcp.sender_report(5, bytes(12), 1, 1) + rtcp.nack(5, [1, 2]) + rtcp.picture_loss(5)))
    @quiet
    def test_rtcp(self, packet: bytes) -> None:
        for report in rtcp.parse(packet):
            assert 0 <= report.ssrc <= 0xFFFFFFFF

    @given(st.lists(st.integers(0, 65535), max_size=300))
    @quiet
    def test_sequences_in_any_order(self, sequences: list[int]) -> None:
        reception = Reception()
        for sequence in sequences:
            assert 0 <= reception.see(sequence) < 32
        reception.report(1, now=0.0)
        assert len(reception.to_ask_again()) <= 200

    @given(st.lists(NOISE | bent(b"\x16\xfe\xff" + bytes(10)), max_size=5))
    @quiet
    def test_dtls(self, datagrams: list[bytes]) -> None:
        peer = DtlsPeer(CERTIFICATE, lambda _: None)
        with contextlib.suppress(HandshakeFailed):
            for datagram in datagrams:
                peer.receive(datagram)
        assert not peer.is_established

    @given(st.integers(0, 3), st.lists(st.tuples(st.integers(0, 4095), st.integers(0, 255)), min_size=1, max_size=6))
    @quiet
    def test_a_bent_handshake(self, which: int, changes: list[tuple[int, int]]) -> None:
        wire: list[tuple[int, bytes]] = []
        server = DtlsPeer(CERTIFICATE, lambda d: wire.append((1, d)))
        client = DtlsPeer(CERTIFICATE, lambda d: wire.append((0, d)), is_server=False)
        ends = (server, client)
        client.handshake()
        with contextlib.suppress(HandshakeFailed):
            for number in range(20):
                if not wire:
                    break
                to, datagram = wire.pop(0)
                packet = bytearray(datagram)
                for position, value in changes if number == which else []:
                    packet[position % len(packet)] ^= value
                ends[to].receive(bytes(packet))


class TestSignalling:
    @given(DESCRIPTIONS)
    @example(GOOD_OFFER)
    @quiet
    def test_descriptions(self, text: str) -> None:
        with contextlib.suppress(BadDescription):
            description = sdp.parse(text)
            mids = [section.mid for section in description.sections]
            answer = answers.compose(
                description,
                LOCAL,
                1,
                dict.fromkeys(mids[::2], Incoming()),
                dict.fromkeys(mids[1::2], Outgoing("P", "T", 1)),
            )
            assert [section.mid for section in sdp.parse(answer.text).sections] == mids

    @given(NOISE | st.text(max_size=200) | JSON.map(str))
    @quiet
    def test_requests(self, frame: bytes | str) -> None:
        with contextlib.suppress(Malformed):
            assert isinstance(read_request(frame), rtc.SignalRequest)

    @given(st.text(max_size=300) | NOISE.map(lambda b: base64.b64encode(b).decode()))
    @quiet
    def test_join_requests(self, text: str) -> None:
        with contextlib.suppress(Malformed):
            assert isinstance(unwrap_join_request(text, LIMITS), rtc.JoinRequest)

    @given(st.sampled_from([0, 1]), NOISE)
    @quiet
    def test_wrapped_join_requests(self, compression: int, inner: bytes) -> None:
        wrapped = rtc.WrappedJoinRequest(compression=compression, join_request=inner)  # type: ignore[arg-type]
        with contextlib.suppress(Malformed):
            unwrap_join_request(base64.b64encode(wrapped.SerializeToString()).decode(), LIMITS)

    @given(
        st.dictionaries(
            st.sampled_from(["sdk", "protocol", "sid", "reconnect", "auto_subscribe", "version"]), st.text(max_size=20)
        )
    )
    @quiet
    def test_older_join_requests(self, query: dict[str, str]) -> None:
        assert isinstance(join_request_of(query), rtc.JoinRequest)

    @given(NOISE)
    @quiet
    def test_data_packets(self, raw: bytes) -> None:
        packet = data.parse(raw)
        if packet is not None and data.attribute(
            packet, models.DataPacket.RELIABLE, data.Sender("S", "me", False, False)
        ):
            assert packet.participant_identity == "me"


class TestApi:
    @given(
        st.sampled_from(
            [
                protocol.CreateRoomRequest,
                protocol.SendDataRequest,
                protocol.UpdateParticipantRequest,
                agent.WorkerMessage,
            ]
        ),
        NOISE | st.text(max_size=100).map(str.encode) | JSON.map(lambda j: str(j).encode()),
        st.booleans(),
    )
    @quiet
    def test_twirp(self, kind: type[Message], body: bytes, is_json: bool) -> None:
        with contextlib.suppress(Malformed):
            assert isinstance(twirp.parse(kind, body, is_json), kind)

    @given(st.text(max_size=200) | NOISE.map(lambda b: f"e30.{base64.urlsafe_b64encode(b).decode()}.x"))
    @quiet
    def test_tokens_of_strangers(self, token: str) -> None:
        with pytest.raises(Unauthenticated):
            KEYRING.read(token)

    @given(
        st.dictionaries(
            st.sampled_from(["sub", "name", "video", "attributes", "roomConfig", "kind", "metadata", "nbf"]), JSON
        )
    )
    @quiet
    def test_signed_tokens_with_any_claims(self, claims: dict[str, Any]) -> None:
        body = {**claims, "iss": KEY, "exp": int(time.time()) + 60}
        with contextlib.suppress(Unauthenticated, NotPermitted):
            _ = KEYRING.read(jwt.encode(body, SECRET, algorithm="HS256")).room_to_join


class Silence:
    """A listener to rooms that does not care."""

    def __getattr__(self, name: str) -> Any:
        return lambda *about: None


@pytest.fixture
async def place() -> tuple[Rooms, IcePorts]:
    settings_ = Settings(KEY, SECRET)
    return Rooms(settings_, Counters(), Silence()), IcePorts(settings_, Counters())


def join(place: tuple[Rooms, IcePorts], identity: str, dual: bool) -> tuple[Room, Participant]:
    rooms, ports = place
    room, _ = rooms.open(RoomRequest("r"))
    claims = Claims(identity, grants=Grants(room="r", room_join=True, can_update_own_metadata=True))
    client = models.ClientInfo()
    participant = Participant(
        room, ports, claims, client, dual=dual, auto_subscribe=True, counters=Counters(), limits=LIMITS
    )
    room.admit(participant)
    participant.on_joined()
    return room, participant


REQUESTS = st.one_of(
    DESCRIPTIONS.map(lambda text: rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp=text))),
    DESCRIPTIONS.map(lambda text: rtc.SignalRequest(answer=rtc.SessionDescription(type="answer", sdp=text))),
    st.builds(
        lambda cid, kind: rtc.SignalRequest(add_track=rtc.AddTrackRequest(cid=cid, type=kind)),
        st.sampled_from(["mic", "", "x"]),
        st.sampled_from([0, 1, 2]),
    ),
    st.builds(
        lambda sids, on: rtc.SignalRequest(subscription=rtc.UpdateSubscription(track_sids=sids, subscribe=on)),
        st.lists(st.text(max_size=5), max_size=4),
        st.booleans(),
    ),
    st.just(rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp=GOOD_OFFER))),
    st.just(rtc.SignalRequest(leave=rtc.LeaveRequest())),
    st.just(rtc.SignalRequest(sync_state=rtc.SyncState())),
    st.builds(
        lambda all_of_them, names: rtc.SignalRequest(
            subscription_permission=rtc.SubscriptionPermission(
                all_participants=all_of_them,
                track_permissions=[rtc.TrackPermission(participant_identity=n, track_sids=names) for n in names],
            )
        ),
        st.booleans(),
        st.lists(st.sampled_from(["ann", "ben", "", "TR_x"]), max_size=3),
    ),
    st.builds(
        lambda text: rtc.SignalRequest(update_metadata=rtc.UpdateParticipantMetadata(metadata=text)),
        st.text(max_size=50),
    ),
    NOISE.map(lambda raw: _readable(raw)),
)


def _readable(raw: bytes) -> rtc.SignalRequest:
    try:
        return read_request(raw)
    except Malformed:
        return rtc.SignalRequest()


class TestConversations:
    @given(requests=st.lists(REQUESTS, max_size=8), dual=st.booleans())
    @asynchronous
    async def test_any_conversation_leaves_the_room_in_order(
        self, place: tuple[Rooms, IcePorts], requests: list[rtc.SignalRequest], dual: bool
    ) -> None:
        room, mallory = join(place, "mallory", dual)
        _, ann = join(place, "ann", dual=False)
        for request in requests:
            with contextlib.suppress(BadDescription):
                signal.act(mallory, request)
        assert room.participants["ann"] is ann
        for participant in list(room.participants.values()):
            room.remove(participant, models.DisconnectReason.CLIENT_INITIATED)
        assert place[1].by_ufrag == {}

    @given(datagrams=st.lists(NOISE | bent(SAMPLE), max_size=6))
    @asynchronous
    async def test_any_datagram_on_a_new_transport(self, place: tuple[Rooms, IcePorts], datagrams: list[bytes]) -> None:
        class Nobody:
            def on_connected(self, transport: PeerTransport) -> None:
                raise AssertionError("noise made a connection")

            def on_channel(self, transport: PeerTransport, channel: object) -> None:
                raise AssertionError("noise opened a channel")

        transport = PeerTransport(place[1], Nobody())
        transport.accept_answer(sdp.parse(GOOD_OFFER))
        for datagram in datagrams:
            transport.on_media(datagram)
            transport.on_dtls(datagram)
            place[1].checked(datagram)
        transport.close()
        assert place[1].by_ufrag == {}

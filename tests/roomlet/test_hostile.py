"""What strangers, floods and broken clients can do to a server: nothing to anybody else."""

import asyncio
import base64
import gzip
import os
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

import aiohttp
import pytest
from benchmarks.roomlet_load import SyntheticClient, access_token
from livekit import api
from livekit.protocol import models, rtc
from tests.roomlet.people import Person, administration, gathering, new_name, token
from tests.roomlet.running import Running, roomlet
from tests.roomlet.waiting import eventually

pytestmark = pytest.mark.xdist_group("roomlet-hostile")
TOO_MANY = aiohttp.WSCloseCode.MESSAGE_TOO_BIG


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


Meet = Callable[..., Awaitable[SyntheticClient]]


@pytest.fixture
async def meet(server: Running, http: aiohttp.ClientSession) -> AsyncIterator[Meet]:
    """Lets participants made of packets into rooms."""
    clients: list[SyntheticClient] = []

    async def come(room: str, identity: str, party: int = 2) -> SyntheticClient:
        minted = access_token(server.key, server.secret, room, identity)
        clients.append(SyntheticClient(http, server.http_url, minted, identity, party))
        await clients[-1].join()
        return clients[-1]

    yield come
    for client in clients:
        await client.leave()


async def status_of_upgrade(http: aiohttp.ClientSession, server: Running, path: str, minted: str) -> int:
    try:
        async with http.ws_connect(f"{server.http_url}{path}", params={"access_token": minted}) as socket:
            first = rtc.SignalResponse.FromString((await socket.receive()).data)
            assert first.WhichOneof("message") == "join"
    except aiohttp.WSServerHandshakeError as refusal:
        return refusal.status
    return 101


class TestStrangers:
    @pytest.mark.parametrize("path", ["/rtc", "/rtc/v1", "/rtc/validate", "/rtc/v1/validate"])
    @pytest.mark.parametrize("minted", ["", "x.y.z", "a" * 3000])
    async def test_a_bad_token_is_401_on_the_upgrade_itself(
        self, path: str, minted: str, server: Running, http: aiohttp.ClientSession
    ) -> None:
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        headers["Sec-WebSocket-Key"] = base64.b64encode(os.urandom(16)).decode()
        url = f"{server.http_url}{path}"
        async with http.get(url, params={"access_token": minted}, headers=headers) as response:
            assert response.status == 401

    async def test_a_good_token_is_valid_for_pages_of_any_origin(
        self, server: Running, room: str, http: aiohttp.ClientSession
    ) -> None:
        url = f"{server.http_url}/rtc/validate"
        async with http.get(url, params={"access_token": token(server, room, "ann")}) as response:
            assert (response.status, await response.text()) == (200, "success")
            assert response.headers["Access-Control-Allow-Origin"] == "*"

    @pytest.mark.parametrize("join_request", ["%%%", "AAAA", base64.b64encode(b"\x08\x01\x12\x03abc").decode()])
    async def test_a_join_request_that_cannot_be_read_is_400(
        self, join_request: str, server: Running, room: str, http: aiohttp.ClientSession
    ) -> None:
        parameters = {"join_request": join_request, "access_token": token(server, room, "ann")}
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(f"{server.http_url}/rtc/v1", params=parameters)
        assert refusal.value.status == 400

    async def test_a_packed_join_request_cannot_unfold_without_end(
        self, server: Running, room: str, http: aiohttp.ClientSession
    ) -> None:

        bomb = gzip.compress(b"\0" * 20_000_000)
        wrapped = rtc.WrappedJoinRequest(compression=rtc.WrappedJoinRequest.GZIP, join_request=bomb[:5000])
        parameters = {
            "join_request": base64.urlsafe_b64encode(wrapped.SerializeToString()).decode(),
            "access_token": token(server, room, "ann"),
        }
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(f"{server.http_url}/rtc/v1", params=parameters)
        assert refusal.value.status == 400


class TestCaps:
    async def test_a_flood_of_joins_is_limited(self, room: str, http: aiohttp.ClientSession) -> None:
        async with roomlet("--limit-joins-per-second", "1", "--limit-joins-burst", "3") as running:
            minted = token(running, room, "ann")
            statuses = [await status_of_upgrade(http, running, "/rtc", minted) for _ in range(5)]
            assert statuses == [101, 101, 101, 429, 429]
            assert (await running.metrics())['roomlet_joins_refused_total{reason="resource_exhausted"}'] == 2

    async def test_rooms_and_participants_are_capped_with_a_clear_error(self, http: aiohttp.ClientSession) -> None:
        async with roomlet("--limit-rooms", "1", "--limit-participants", "1") as running:
            name = new_name()
            async with gathering(running, name) as come:
                await come("ann")
                url = f"{running.http_url}/rtc/validate"
                assert await status_of_upgrade(http, running, "/rtc", token(running, name, "ben")) == 429
                headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
                headers["Sec-WebSocket-Key"] = base64.b64encode(os.urandom(16)).decode()
                url = f"{running.http_url}/rtc"
                async with http.get(url, params={"access_token": token(running, name, "b")}, headers=headers) as full:
                    assert "ROOMLET_LIMIT_PARTICIPANTS" in await full.text()

    async def test_a_room_can_be_full(self, server: Running, room: str, http: aiohttp.ClientSession) -> None:
        async with administration(server) as admin, gathering(server, room) as come:
            await admin.room.create_room(api.CreateRoomRequest(name=room, max_participants=1))
            await come("ann")
            assert await status_of_upgrade(http, server, "/rtc", token(server, room, "ben")) == 429
            again = await come("ann")
            assert again.room.isconnected()

    async def test_a_signal_message_that_is_too_large_ends_only_its_own_connection(
        self, server: Running, room: str, http: aiohttp.ClientSession
    ) -> None:
        async with gathering(server, room) as come:
            ann = await come("ann")
            parameters = {"access_token": token(server, room, "mallory")}
            async with http.ws_connect(f"{server.http_url}/rtc", params=parameters) as socket:
                await socket.send_bytes(b"x" * 600_000)
                closed = [frame async for frame in socket]
                assert socket.close_code == TOO_MANY, closed
            assert ann.room.isconnected()

    async def test_messages_that_mean_nothing_are_passed_over(
        self, server: Running, room: str, http: aiohttp.ClientSession
    ) -> None:
        parameters = {"access_token": token(server, room, "mallory")}
        async with http.ws_connect(f"{server.http_url}/rtc", params=parameters) as socket:
            await socket.send_bytes(b"\xff\xff\xff")
            await socket.send_str("{not json")
            broken = rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp="m=audio"))
            await socket.send_bytes(broken.SerializeToString())
            await socket.send_bytes(rtc.SignalRequest(ping_req=rtc.Ping(timestamp=7)).SerializeToString())
            async for frame in socket:
                response = rtc.SignalResponse.FromString(frame.data)
                if response.HasField("pong_resp"):
                    assert response.pong_resp.last_ping_timestamp == 7
                    break


class TestTokenRefresh:
    async def test_fresh_tokens_come_at_once_and_again_and_open_the_door(
        self, room: str, http: aiohttp.ClientSession
    ) -> None:
        async with roomlet("--token-refresh-seconds", "0.5") as running:
            parameters = {"access_token": token(running, room, "ann", can_publish=False)}
            fresh: list[str] = []
            async with http.ws_connect(f"{running.http_url}/rtc", params=parameters) as socket:
                async for frame in socket:
                    response = rtc.SignalResponse.FromString(frame.data)
                    if response.HasField("refresh_token"):
                        fresh.append(response.refresh_token)
                        if len(fresh) == 3:
                            break
            again = await Person(running, room, "ann").join(minted=fresh[-1])
            assert not again.room.local_participant.permissions.can_publish
            await again.leave()

    async def test_whatever_is_said_of_a_participant_its_tokens_open_the_door(
        self, server: Running, room: str, http: aiohttp.ClientSession
    ) -> None:
        much = "ü" * 31_000
        grants = api.VideoGrants(room_join=True, room=room)
        minting = api.AccessToken(server.key, server.secret).with_identity("ann").with_grants(grants)
        minted = minting.with_metadata(much).with_attributes({"much": much}).to_jwt()
        for _ in range(2):
            async with http.ws_connect(f"{server.http_url}/rtc", params={"access_token": minted}) as socket:
                async for frame in socket:
                    response = rtc.SignalResponse.FromString(frame.data)
                    if response.HasField("refresh_token"):
                        minted = response.refresh_token
                        break
            async with http.get(
                f"{server.http_url}/rtc/validate", headers={"Authorization": f"Bearer {minted}"}
            ) as valid:
                assert (valid.status, await valid.text()) == (200, "success")
        ann = await Person(server, room, "ann").join(minted=minted)
        assert (ann.room.local_participant.metadata, ann.room.local_participant.attributes) == (much, {"much": much})
        await ann.leave()


class TestRights:
    async def test_a_track_announced_before_the_right_was_taken_away_is_not_published_after_it(
        self, server: Running, meet: Meet, room: str
    ) -> None:
        mallory = await meet(room, "mallory")
        assert mallory._signal is not None

        async def told(what: Literal["track_published", "track_unpublished", "answer"], about: str) -> None:
            def is_told() -> bool:
                return any(about in str(getattr(signal, what)) for signal in mallory.signals if signal.HasField(what))

            await eventually(f"mallory is told {what} of {about}", is_told)

        announced = rtc.AddTrackRequest(cid="later", type=models.TrackType.AUDIO)
        await mallory._signal.send_bytes(rtc.SignalRequest(add_track=announced).SerializeToString())
        await told("track_published", "later")
        sid = next(s.track_published.track.sid for s in mallory.signals if s.track_published.cid == "later")
        async with administration(server) as admin:
            listening = models.ParticipantPermission(can_subscribe=True)
            await admin.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity="mallory", permission=listening)
            )
            await told("track_unpublished", sid)
            offer = rtc.SessionDescription(type="offer", sdp=mallory._offer().replace("mic-mallory", "later"), id=9)
            await mallory._signal.send_bytes(rtc.SignalRequest(offer=offer).SerializeToString())
            await told("answer", "id: 9")
            asked = api.RoomParticipantIdentity(room=room, identity="mallory")
            assert list((await admin.room.get_participant(asked)).tracks) == []


class TestIsolation:
    async def test_no_packet_of_one_room_reaches_another(self, meet: Meet) -> None:
        """Strangers even send under the names (SSRCs) of the streams in the other room."""
        here, there = new_name("here"), new_name("there")
        rooms = {name: [await meet(name, f"{name}-{i}") for i in range(2)] for name in (here, there)}
        for number in range(50):
            for clients, strangers in ((rooms[here], rooms[there]), (rooms[there], rooms[here])):
                for client in clients:
                    client.keeps_packets = True
                    client.send()
                    for other in strangers:
                        forged = struct.pack("!BBHII", 0x80, 111, number, number * 960, other.ssrc)
                        client.send_protected(forged + b"12345678" + client.identity.encode())
            await asyncio.sleep(0.005)
        for name, stranger in ((here, there), (there, here)):
            for client in rooms[name]:
                await eventually(f"{client.identity} hears its room", lambda client=client: len(client.heard) > 20)
                assert all(name.encode() in packet for packet in client.heard)
                assert not any(stranger.encode() in packet for packet in client.heard)

    async def test_garbage_on_the_media_path_hurts_nobody(self, meet: Meet, room: str) -> None:
        mallory, ann, ben = [await meet(room, who, party=3) for who in ("mallory", "ann", "ben")]
        for first in (0, 1, 20, 22, 23, 63, 64, 128, 144, 191, 200, 255):
            for size in (1, 2, 11, 12, 13, 20, 200, 1400):
                mallory.send_raw(bytes([first]) + os.urandom(size - 1))
        ben.is_counting = True
        for _ in range(20):
            ann.send()
        await eventually("ben hears ann", lambda: ben.received >= 20)

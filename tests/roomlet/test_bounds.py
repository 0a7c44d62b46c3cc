"""Every bound of the server: what lies beyond it is refused by name, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from benchmarks.roomlet_load import access_token
from livekit import api
from livekit.protocol import agent, rtc
from tests.roomlet.people import Person, administration, gathering, new_name, token
from tests.roomlet.running import KEY, SECRET, Running, roomlet
from tests.roomlet.test_room_api import perform
from tests.roomlet.waiting import within
from tests.roomlet.workers import working

from roomlet.server import Server
from roomlet.settings import Settings

pytestmark = pytest.mark.xdist_group("roomlet-hostile")
Reason = rtc.RequestResponse
LARGE = "x" * 70_000


@pytest.fixture(scope="module")
async def small() -> AsyncIterator[Running]:
    """A server with narrow bounds."""
    flags = {
        "tracks-per-participant": 1,
        "workers": 1,
        # One of them is that for workers without a name.
        "dispatches-per-room": 2,
        "tcp-connections": 1,
        "signal-messages-per-second": 5,
        "signal-messages-burst": 20,
    }
    words = [word for name, value in flags.items() for word in (f"--limit-{name}", str(value))]
    async with roomlet(*words) as running:
        yield running
        assert running.errors == []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def refused_upgrade(http: aiohttp.ClientSession, url: str, minted: str) -> tuple[int, str]:
    """The status and the words, which WebSocket clients of most kinds do not show."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Authorization": f"Bearer {minted}"}
    async with http.get(url, headers=headers) as answer:
        return answer.status, await answer.text()


class Signalling:
    """A participant that only signals."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def ask(self, request: rtc.SignalRequest, answer: str) -> rtc.SignalResponse:
        await self._socket.send_bytes(request.SerializeToString())
        return await within(answer, self._until(answer))

    async def _until(self, answer: str) -> rtc.SignalResponse:
        async for frame in self._socket:
            response = rtc.SignalResponse.FromString(frame.data)
            if response.HasField(answer):  # type: ignore[arg-type]
                return response
        raise AssertionError(f"the socket closed before {answer}")

    async def is_closed(self) -> None:
        async def end() -> None:
            async for _ in self._socket:
                pass

        await within("the socket is closed", end())


@pytest.fixture
async def ann(small: Running, http: aiohttp.ClientSession, room: str) -> AsyncIterator[Signalling]:
    parameters = {"access_token": token(small, room, "ann")}
    async with http.ws_connect(f"{small.http_url}/rtc", params=parameters) as socket:
        yield Signalling(socket)


class TestOfAParticipant:
    async def test_tracks_are_counted(self, ann: Signalling) -> None:
        wanted = rtc.SignalRequest(add_track=rtc.AddTrackRequest(cid="one", name="one"))
        await ann.ask(wanted, "track_published")
        wanted.add_track.cid = "two"
        refusal = (await ann.ask(wanted, "request_response")).request_response
        assert (refusal.reason, refusal.message) == (Reason.LIMIT_EXCEEDED, "too many tracks")

    @pytest.mark.parametrize(
        ("update", "says"),
        [
            (rtc.UpdateParticipantMetadata(metadata=LARGE), "metadata size exceeds limits"),
            (rtc.UpdateParticipantMetadata(name="x" * 300), "name length exceeds limits"),
            (rtc.UpdateParticipantMetadata(attributes={"a": LARGE}), "attributes size exceeds limits"),
        ],
        ids=["metadata", "name", "attributes"],
    )
    async def test_descriptions_have_a_size(
        self, update: rtc.UpdateParticipantMetadata, says: str, ann: Signalling
    ) -> None:
        refusal = (await ann.ask(rtc.SignalRequest(update_metadata=update), "request_response")).request_response
        assert (refusal.reason, refusal.message) == (Reason.LIMIT_EXCEEDED, says)

    async def test_attributes_have_a_size_in_total(
        self, server: Running, http: aiohttp.ClientSession, room: str
    ) -> None:
        """However many updates bring them, and whoever sends these."""
        much = "x" * 40_000
        parameters = {"access_token": token(server, room, "ann")}
        async with administration(server) as admin, http.ws_connect(f"{server.http_url}/rtc", params=parameters) as web:
            ann = Signalling(web)

            async def set_attribute(name: str, value: str) -> Any:
                update = rtc.UpdateParticipantMetadata(attributes={name: value})
                return (await ann.ask(rtc.SignalRequest(update_metadata=update), "request_response")).request_response

            assert (await set_attribute("a", much)).reason == Reason.OK
            refusal = await set_attribute("b", much)
            assert (refusal.reason, refusal.message) == (Reason.LIMIT_EXCEEDED, "attributes size exceeds limits")
            more = api.UpdateParticipantRequest(room=room, identity="ann", attributes={"b": much})
            with pytest.raises(api.TwirpError, match="attribute size exceeds limits"):
                await admin.room.update_participant(more)
            assert (await set_attribute("a", "")).reason == Reason.OK
            assert dict((await admin.room.update_participant(more)).attributes) == {"b": much}

    async def test_a_token_with_too_many_attributes_is_refused(
        self, server: Running, http: aiohttp.ClientSession, room: str
    ) -> None:
        minting = api.AccessToken(server.key, server.secret).with_identity("ann")
        minting = minting.with_grants(api.VideoGrants(room_join=True, room=room)).with_attributes({"a": LARGE})
        refusal = await refused_upgrade(http, f"{server.http_url}/rtc", minting.to_jwt())
        assert refusal == (401, "attributes size exceeds limits")

    async def test_signal_messages_have_a_rate(
        self, small: Running, http: aiohttp.ClientSession, room: str, ann: Signalling
    ) -> None:
        async with gathering(small, room) as come:
            ben = await come("ben")
            parameters = {"access_token": token(small, room, "mallory")}
            async with http.ws_connect(f"{small.http_url}/rtc", params=parameters) as socket:
                ping = rtc.SignalRequest(ping_req=rtc.Ping(timestamp=1)).SerializeToString()
                for _ in range(60):
                    await socket.send_bytes(ping)
                await Signalling(socket).is_closed()
            assert ben.room.isconnected()

    @pytest.mark.parametrize(
        ("room_name", "identity", "says"),
        [("x" * 300, "ann", "the room's name is too long"), ("room", "x" * 300, "the identity is too long")],
        ids=["room", "identity"],
    )
    async def test_names_have_a_length(
        self, room_name: str, identity: str, says: str, small: Running, http: aiohttp.ClientSession
    ) -> None:
        minted = token(small, room_name, identity)
        assert await refused_upgrade(http, f"{small.http_url}/rtc", minted) == (401, says)


class TestOfWhatIsKept:
    async def test_a_wish_about_a_track_that_is_not_there_is_forgotten(
        self, http: aiohttp.ClientSession, room: str
    ) -> None:
        server = Server(Settings(KEY, SECRET, http_port=0, udp_port=0, tcp_port=0))
        await server.open()
        try:
            parameters = {"access_token": access_token(KEY, SECRET, room, "mallory")}
            async with http.ws_connect(f"{server.url}/rtc", params=parameters) as socket:
                for subscribe in (True, False):
                    wish = rtc.UpdateSubscription(track_sids=["TR_nowhere"], subscribe=subscribe)
                    await socket.send_bytes(rtc.SignalRequest(subscription=wish).SerializeToString())
                    await Signalling(socket).ask(rtc.SignalRequest(ping_req=rtc.Ping()), "pong_resp")
                    kept = server.rooms.existing(room).participants["mallory"].subscribing
                    assert not kept._wanted | kept._unwanted
        finally:
            await server.close()


class TestOfTheApi:
    async def test_sizes_are_refused_as_invalid(self, server: Running, room: str) -> None:
        async with administration(server) as admin, gathering(server, room) as come:
            await come("ann")
            for asked in (
                admin.room.create_room(api.CreateRoomRequest(name="x" * 300)),
                admin.room.create_room(api.CreateRoomRequest(name=new_name(), metadata=LARGE)),
                admin.room.update_room_metadata(api.UpdateRoomMetadataRequest(room=room, metadata=LARGE)),
                admin.room.update_participant(api.UpdateParticipantRequest(room=room, identity="ann", metadata=LARGE)),
                admin.room.send_data(api.SendDataRequest(room=room, data=LARGE.encode())),
            ):
                with pytest.raises(api.TwirpError) as refusal:
                    await asked
                assert refusal.value.code == "invalid_argument"
            status, failure = await perform(server, room, "shout", "x" * 16_000)
            assert (status, failure["code"]) == (400, "invalid_argument")

    async def test_dispatches_of_a_room_are_counted(self, small: Running, room: str) -> None:
        async with administration(small) as admin:
            wanted = api.CreateAgentDispatchRequest(room=room, agent_name="nobody")
            await admin.agent_dispatch.create_dispatch(wanted)
            with pytest.raises(api.TwirpError) as refusal:
                await admin.agent_dispatch.create_dispatch(wanted)
            assert refusal.value.code == "resource_exhausted"
            assert "ROOMLET_LIMIT_DISPATCHES_PER_ROOM" in refusal.value.message


class TestOfWorkers:
    async def test_they_are_counted(self, small: Running, http: aiohttp.ClientSession) -> None:
        minted = api.AccessToken(small.key, small.secret).with_grants(api.VideoGrants(agent=True)).to_jwt()
        async with working(small, "first"):
            status, says = await refused_upgrade(http, f"{small.http_url}/agent", minted)
        assert status == 429
        assert "ROOMLET_LIMIT_WORKERS" in says

    async def test_one_that_does_not_read_is_cut_off_and_nobody_waits_for_it(
        self, http: aiohttp.ClientSession, room: str
    ) -> None:
        async with roomlet("--limit-signal-backlog", "20", "--limit-dispatches-per-room", "1000") as running:
            minted = api.AccessToken(running.key, running.secret).with_grants(api.VideoGrants(agent=True)).to_jwt()
            headers = {"Authorization": f"Bearer {minted}"}
            register = agent.WorkerMessage(register=agent.RegisterWorkerRequest(agent_name="deaf"))
            async with (
                http.ws_connect(f"{running.http_url}/agent", headers=headers) as deaf,
                administration(running) as admin,
            ):
                await deaf.send_bytes(register.SerializeToString())
                await within("the worker is registered", deaf.receive())
                wanted = api.CreateAgentDispatchRequest(room=room, agent_name="deaf", metadata="x" * 60_000)
                while (await running.metrics())["roomlet_workers"]:
                    await asyncio.gather(*(admin.agent_dispatch.create_dispatch(wanted) for _ in range(20)))
                ann = await Person(running, room, "ann").join()
                await ann.leave()
            assert running.errors == []


class TestOfTheMediaPorts:
    async def test_tcp_connections_are_counted(self, small: Running, room: str) -> None:
        """Each that proves nothing of itself is closed after a while, too."""
        address, port = await self._tcp_address(small, room)
        first_reader, first = await asyncio.open_connection(address, port)
        reader, second = await asyncio.open_connection(address, port)
        assert await within("the second connection is closed", self._end(reader)) == b""
        assert not first_reader.at_eof()
        for each in (first, second):
            each.close()

    async def _end(self, reader: asyncio.StreamReader) -> bytes:
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""

    async def _tcp_address(self, small: Running, room: str) -> tuple[str, int]:
        """As the server tells it in its first offer."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"{small.http_url}/rtc", params={"access_token": token(small, room, "ann")}) as socket,
        ):
            async for frame in socket:
                response = rtc.SignalResponse.FromString(frame.data)
                if response.HasField("offer"):
                    candidates = [line.split() for line in response.offer.sdp.splitlines() if "tcptype" in line]
                    return candidates[0][4], int(candidates[0][5])
        raise AssertionError("there was no offer")

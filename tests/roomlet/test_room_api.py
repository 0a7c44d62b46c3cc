"""LiveKit's RoomService, through LiveKit's own client. Runs against roomlet and against any LiveKit server."""

import io
from typing import Any

import aiohttp
import pytest
from livekit import api, rtc
from tests.roomlet.people import Gather, Server, administration, token
from tests.roomlet.running import Running
from tests.roomlet.waiting import eventually, eventually_is, stays, within

pytestmark = pytest.mark.xdist_group("roomlet-api")


async def perform(server: Server, room: str, method: str, payload: str) -> tuple[int, dict[str, str]]:
    """PerformRpc of the participant `ann`; LiveKit's client for Python does not have it."""
    grants = api.VideoGrants(room_admin=True, room=room)
    headers = {"Authorization": f"Bearer {api.AccessToken(server.key, server.secret).with_grants(grants).to_jwt()}"}
    body = {"room": room, "destination_identity": "ann", "method": method, "payload": payload}
    url = f"{server.url.replace('ws', 'http', 1)}/twirp/livekit.RoomService/PerformRpc"
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as response:
        return response.status, await response.json()


class TestRooms:
    async def test_a_room_has_what_it_was_made_with(self, livekit: Server, room: str) -> None:
        async with administration(livekit) as admin:
            made = await admin.room.create_room(
                api.CreateRoomRequest(
                    name=room, metadata="about", empty_timeout=60, departure_timeout=7, max_participants=3
                )
            )
            listed = await admin.room.list_rooms(api.ListRoomsRequest(names=[room]))
        assert made.sid.startswith("RM_")
        assert [
            (r.sid, r.metadata, r.empty_timeout, r.departure_timeout, r.max_participants) for r in listed.rooms
        ] == [(made.sid, "about", 60, 7, 3)]

    async def test_making_a_room_twice_gives_the_same_room(self, livekit: Server, room: str) -> None:
        async with administration(livekit) as admin:
            first = await admin.room.create_room(api.CreateRoomRequest(name=room))
            second = await admin.room.create_room(api.CreateRoomRequest(name=room))
        assert first.sid == second.sid

    async def test_a_deleted_room_is_gone(self, livekit: Server, room: str) -> None:
        async with administration(livekit) as admin:
            await admin.room.create_room(api.CreateRoomRequest(name=room))
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
            assert list((await admin.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms) == []

    async def test_new_metadata_reaches_everybody(self, livekit: Server, come: Gather, room: str) -> None:
        ann = await come("ann")
        async with administration(livekit) as admin:
            await admin.room.update_room_metadata(api.UpdateRoomMetadataRequest(room=room, metadata="closing soon"))
        await ann.saw("room metadata", "closing soon")

    async def test_people_are_counted_even_hidden_ones_and_agents_are_not(
        self, livekit: Server, come: Gather, room: str
    ) -> None:
        ann = await come("ann")
        await ann.play(440)
        await come("spy", hidden=True)
        await come("helper", minted=token(livekit, room, "helper", kind="agent", agent=True))
        async with administration(livekit) as admin:

            async def counted() -> tuple[int, int]:
                found = (await admin.room.list_rooms(api.ListRoomsRequest(names=[room]))).rooms[0]
                return found.num_participants, found.num_publishers

            # LiveKit counts every five seconds.
            await eventually_is("the room's count", (2, 1), counted)


class TestParticipants:
    async def test_a_participant_is_shown_as_it_is(self, livekit: Server, come: Gather, room: str) -> None:
        ann = await come("ann")
        publication = await ann.play(440)
        await (await come("ben")).saw_published("ann")
        async with administration(livekit) as admin:
            shown = await admin.room.get_participant(api.RoomParticipantIdentity(room=room, identity="ann"))
            everybody = await admin.room.list_participants(api.ListParticipantsRequest(room=room))
        assert shown.sid == ann.room.local_participant.sid
        assert shown.state == api.ParticipantInfo.State.ACTIVE
        assert [track.sid for track in shown.tracks] == [publication.sid]
        assert {person.identity for person in everybody.participants} == {"ann", "ben"}

    async def test_a_participant_can_be_described_from_outside(self, livekit: Server, come: Gather, room: str) -> None:
        await come("ann")
        ben = await come("ben")
        async with administration(livekit) as admin:
            await admin.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity="ann", metadata="vip", attributes={"tier": "gold"})
            )
        await ben.saw("metadata", "ann=vip")
        seen = ben.room.remote_participants["ann"]
        # The client tells of metadata and of attributes one after the other.
        await eventually("ben sees ann's attributes", lambda: seen.attributes.get("tier") == "gold")

    async def test_a_track_can_be_muted_from_outside_but_not_unmuted(
        self, livekit: Server, come: Gather, room: str
    ) -> None:
        ann, ben = await come("ann"), await come("ben")
        publication = await ann.play(440)
        await ben.hears("ann", 440)
        muting = api.MuteRoomTrackRequest(room=room, identity="ann", track_sid=publication.sid, muted=True)
        async with administration(livekit) as admin:
            muted = await admin.room.mute_published_track(muting)
            assert muted.track.muted
            await ben.saw("muted", "ann")
            muting.muted = False
            with pytest.raises(api.TwirpError) as refusal:
                await admin.room.mute_published_track(muting)
        assert refusal.value.code == "failed_precondition"

    async def test_subscriptions_can_be_changed_from_outside(self, livekit: Server, come: Gather, room: str) -> None:
        ann, ben = await come("ann"), await come("ben")
        publication = await ann.play(440)
        await ben.hears("ann", 440)
        change = api.UpdateSubscriptionsRequest(room=room, identity="ben", track_sids=[publication.sid])
        async with administration(livekit) as admin:
            change.subscribe = False
            await admin.room.update_subscriptions(change)
            change.subscribe = True
            await admin.room.update_subscriptions(change)
        await ben.hears("ann", 440)

    async def test_whoever_is_not_there_is_not_found(self, livekit: Server, come: Gather, room: str) -> None:
        await come("ann")
        async with administration(livekit) as admin:
            with pytest.raises(api.TwirpError) as refusal:
                await admin.room.get_participant(api.RoomParticipantIdentity(room=room, identity="nobody"))
        assert refusal.value.code == "not_found"


class TestData:
    async def test_data_from_outside_has_no_sender(self, livekit: Server, come: Gather, room: str) -> None:
        await come("ann")
        ben = await come("ben")
        notice = api.SendDataRequest(room=room, data=b"notice", topic="admin", destination_identities=["ben"])
        async with administration(livekit) as admin:

            async def send_until_heard() -> rtc.DataPacket:
                """LiveKit does not keep a notice for somebody whose channel is still opening."""
                while ben.data.empty():
                    await admin.room.send_data(notice)
                    await stays("the notice is under way", lambda: True, 0.1)
                return ben.data.get_nowait()

            packet = await within("the notice", send_until_heard())
        assert (packet.data, packet.topic, packet.participant) == (b"notice", "admin", None)

    async def test_a_method_of_a_participant_can_be_called(self, livekit: Server, come: Gather, room: str) -> None:
        ann = await come("ann")

        async def shout(call: rtc.RpcInvocationData) -> str:
            return call.payload.upper()

        async def fail(call: rtc.RpcInvocationData) -> str:
            raise rtc.RpcError(1700, "cannot", "because")

        ann.room.local_participant.register_rpc_method("shout", shout)
        ann.room.local_participant.register_rpc_method("fail", fail)
        assert await perform(livekit, room, "shout", "hey") == (200, {"payload": "HEY"})
        status, failure = await perform(livekit, room, "fail", "hey")
        assert status >= 400
        assert "cannot" in failure["msg"]
        status, _ = await perform(livekit, room, "unknown", "hey")
        assert status >= 400


class TestRefusals:
    """Roomlet's own words; the codes and statuses are Twirp's."""

    @pytest.mark.parametrize(
        ("grants", "method", "body", "status", "code"),
        [
            (None, "ListRooms", "{}", 401, "unauthenticated"),
            ({"room_join": True, "room": "x"}, "ListRooms", "{}", 403, "permission_denied"),
            ({"room_admin": True, "room": "x"}, "ListParticipants", '{"room": "y"}', 403, "permission_denied"),
            ({"room_list": True}, "CreateRoom", '{"name": "y"}', 403, "permission_denied"),
            ({"room_create": True}, "CreateRoom", '{"name": ""}', 400, "invalid_argument"),
            ({"room_create": True}, "CreateRoom", '{"name": ', 400, "malformed"),
            ({"room_create": True}, "DeleteRoom", '{"room": "y"}', 404, "not_found"),
            ({"room_create": True}, "MakeCoffee", "{}", 404, "bad_route"),
        ],
    )
    async def test_each_has_its_code(
        self, server: Running, grants: dict[str, Any] | None, method: str, body: str, status: int, code: str
    ) -> None:
        headers = {"Content-Type": "application/json"}
        if grants is not None:
            minting = api.AccessToken(server.key, server.secret).with_identity("somebody")
            minted = minting.with_grants(api.VideoGrants(**grants)).to_jwt()
            headers["Authorization"] = f"Bearer {minted}"
        url = f"{server.http_url}/twirp/livekit.RoomService/{method}"
        async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as response:
            assert (response.status, (await response.json())["code"]) == (status, code)

    async def test_a_body_without_end_is_cut_off(self, server: Running) -> None:
        minted = api.AccessToken(server.key, server.secret).with_grants(api.VideoGrants(room_create=True)).to_jwt()
        headers = {"Content-Type": "application/protobuf", "Authorization": f"Bearer {minted}"}
        url = f"{server.http_url}/twirp/livekit.RoomService/CreateRoom"
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=io.BytesIO(b"x" * 2_000_000), headers=headers) as response,
        ):
            assert response.status == 413

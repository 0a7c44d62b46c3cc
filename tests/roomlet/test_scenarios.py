"""What people in one room can rely on. Runs against roomlet and against any LiveKit server."""

import asyncio
import os

import pytest
from livekit import api, rtc
from livekit.rtc import ParticipantTrackPermission
from tests.roomlet.comparing import HOW_TO_COMPARE, LIVEKIT, real_livekit
from tests.roomlet.people import NEWS_SECONDS, Gather, Person, Server, administration, token
from tests.roomlet.waiting import eventually, stays, within

pytestmark = pytest.mark.xdist_group("roomlet-sdk")


class TestAudio:
    async def test_two_people_hear_each_other(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.play(440)
        await ben.play(700)
        await ben.hears("ann", 440)
        await ann.hears("ben", 700)

    async def test_whoever_comes_late_hears_everybody(self, come: Gather) -> None:
        tones = {"ann": 310.0, "ben": 520.0, "cid": 830.0, "dot": 1230.0}
        for name, hz in tones.items():
            await (await come(name)).play(hz)
        late = await come("eve")
        for name, hz in tones.items():
            await late.hears(name, hz)

    async def test_a_place_left_by_one_is_taken_by_the_next(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ben.play(520)
        await ann.hears("ben", 520)
        await ben.leave()
        await ann.saw("left", "ben")
        cid = await come("cid")
        await cid.play(910)
        await ann.hears("cid", 910)

    async def test_a_muted_track_is_silent_and_comes_back(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        publication = await ann.play(440)
        await ben.hears("ann", 440)
        assert isinstance(publication.track, rtc.LocalAudioTrack)
        publication.track.mute()
        await ben.saw("muted", "ann")
        await ben.hears_silence("ann")
        publication.track.unmute()
        await ben.saw("unmuted", "ann")
        await ben.hears("ann", 440)

    async def test_the_publisher_learns_that_somebody_listens(self, come: Gather) -> None:
        ann = await come("ann")
        publication = await ann.play(440)
        await come("ben")
        await within("ann's track has a subscriber", publication.wait_for_subscription())

    async def test_an_unpublished_track_is_gone_for_everybody(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        publication = await ann.play(440)
        await ben.hears("ann", 440)
        await ann.room.local_participant.unpublish_track(publication.sid)
        await ben.saw("unpublished", "ann")

    async def test_nobody_is_subscribed_who_did_not_want_to_be(self, come: Gather) -> None:
        ann = await come("ann")
        ben = await come("ben", options=rtc.RoomOptions(auto_subscribe=False))
        await ann.play(440)
        await ben.saw("published", "ann")
        await stays("ben is not subscribed", lambda: not ben.tracks())
        publication = next(iter(ben.room.remote_participants["ann"].track_publications.values()))
        publication.set_subscribed(True)
        await ben.hears("ann", 440)

    async def test_speakers_are_named(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.play(440)
        await ben.saw("speaking", "ann")


class TestData:
    async def test_messages_reach_everybody_but_their_sender(self, come: Gather) -> None:
        ann, ben, cid = await come("ann"), await come("ben"), await come("cid")
        await ann.room.local_participant.publish_data(b"hello", topic="greeting")
        for person in (ben, cid):
            packet = await within("the message", person.data.get())
            assert packet.participant is not None
            assert (packet.data, packet.topic, packet.participant.identity) == (b"hello", "greeting", "ann")
        assert ann.data.empty()

    async def test_messages_reach_only_whom_they_name(self, come: Gather) -> None:
        ann, ben, cid = await come("ann"), await come("ben"), await come("cid")
        await ann.room.local_participant.publish_data(b"secret", destination_identities=["cid"])
        await ann.room.local_participant.publish_data(b"open")
        assert (await within("cid's message", cid.data.get())).data == b"secret"
        assert (await within("ben's message", ben.data.get())).data == b"open"

    async def test_lossy_messages_arrive_on_a_good_line(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")

        async def send_until_heard() -> bytes:
            """Nobody keeps a lossy message for a receiver whose channel is still opening."""
            while ben.data.empty():
                await ann.room.local_participant.publish_data(b"now", reliable=False)
                await stays("the message is under way", lambda: True, 0.05)
            return ben.data.get_nowait().data

        assert await within("a lossy message", send_until_heard()) == b"now"

    async def test_long_texts_arrive_whole(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        story = "once upon a time " * 3000
        await ann.room.local_participant.send_text(story, topic="chat")
        assert await within("the text", ben.texts.get()) == ("ann", story)

    async def test_a_method_of_another_participant_can_be_called(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")

        async def shout(call: rtc.RpcInvocationData) -> str:
            return f"{call.caller_identity}: {call.payload.upper()}"

        ben.room.local_participant.register_rpc_method("shout", shout)
        answer = await ann.room.local_participant.perform_rpc(destination_identity="ben", method="shout", payload="hey")
        assert answer == "ann: HEY"

    async def test_digits_pressed_on_a_phone_arrive(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.room.local_participant.publish_dtmf(code=5, digit="5")
        pressed = await within("the digit", ben.digits.get())
        assert (pressed.code, pressed.digit) == (5, "5")
        assert pressed.participant is not None
        assert pressed.participant.identity == "ann"


class TestDescriptions:
    async def test_attributes_and_metadata_reach_everybody(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.room.local_participant.set_metadata("on hold")
        await ben.saw("metadata", "ann=on hold")
        await ann.room.local_participant.set_attributes({"mood": "fine"})
        await eventually(
            "ben sees ann's mood", lambda: ben.room.remote_participants["ann"].attributes.get("mood") == "fine"
        )

    async def test_whoever_comes_late_sees_attributes(self, come: Gather) -> None:
        ann = await come("ann")
        await ann.room.local_participant.set_attributes({"mood": "fine"})
        ben = await come("ben")
        assert ben.room.remote_participants["ann"].attributes["mood"] == "fine"

    async def test_a_participant_without_the_right_cannot_describe_itself(self, come: Gather) -> None:
        ann, ben = await come("ann", can_update_own_metadata=False), await come("ben")
        await ann.room.local_participant.set_metadata("anything")
        await ann.room.local_participant.publish_data(b"done")
        await within("word that ann is done", ben.data.get())
        assert ben.room.remote_participants["ann"].metadata == ""


class TestRights:
    async def test_a_hidden_participant_hears_and_is_not_seen(self, come: Gather) -> None:
        ann = await come("ann")
        await ann.play(440)
        spy = await come("spy", hidden=True, can_publish=False)
        await spy.hears("ann", 440)
        assert ann.room.remote_participants == {}

    async def test_an_observer_hears_and_cannot_publish(self, come: Gather) -> None:
        ann, observer = await come("ann"), await come("observer", can_publish=False)
        await ann.play(440)
        await observer.hears("ann", 440)
        people = ann.room.remote_participants
        await eventually("ann sees the observer", lambda: "observer" in people, NEWS_SECONDS)
        assert people["observer"].track_publications == {}

    async def test_rights_taken_away_in_mid_call_take_effect_at_once(
        self, come: Gather, livekit: Server, room: str
    ) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.play(440)
        await ben.hears("ann", 440)
        silenced = api.ParticipantPermission(can_subscribe=True, can_publish=False, can_publish_data=True)
        async with administration(livekit) as admin:
            await admin.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity="ann", permission=silenced)
            )
        await ben.saw("unpublished", "ann")
        await eventually("ben has no audio of ann's", lambda: "ann" not in ben.tracks())

    async def test_rights_given_in_mid_call_take_effect_at_once(self, come: Gather, livekit: Server, room: str) -> None:
        ann, ben = await come("ann"), await come("ben", can_subscribe=False)
        await ann.play(440)
        await ben.saw("published", "ann")
        assert ben.tracks() == {}
        everything = api.ParticipantPermission(can_subscribe=True, can_publish=True, can_publish_data=True)
        async with administration(livekit) as admin:
            await admin.room.update_participant(
                api.UpdateParticipantRequest(room=room, identity="ben", permission=everything)
            )
        await ben.hears("ann", 440)


class TestHearers:
    """A participant says itself who may hear it. To others nothing of it comes; this SDK says nothing of that."""

    async def test_only_those_who_are_named_hear(self, come: Gather) -> None:
        ann, ben, cid = await come("ann"), await come("ben"), await come("cid")
        await ann.play(440)
        await ben.hears("ann", 440)
        await cid.hears("ann", 440)
        allow(ann, "cid")
        await ben.hears_no_more_of("ann")
        await cid.hears("ann", 440)
        allow(ann, "ben")
        await ben.hears("ann", 440)
        await cid.hears_no_more_of("ann")
        ann.room.local_participant.set_track_subscription_permissions(allow_all_participants=True)
        await cid.hears("ann", 440)
        await ben.hears("ann", 440)

    async def test_it_holds_for_tracks_and_people_to_come(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        allow(ann, "cid")
        await ann.play(440)
        cid, dot = await come("cid"), await come("dot")
        await cid.hears("ann", 440)
        for other in (ben, dot):
            await other.saw_published("ann")
            assert other.tracks() == {}

    async def test_single_tracks_can_be_named(self, come: Gather) -> None:
        ann = await come("ann")
        aloud = await ann.play(440)
        ann.room.local_participant.set_track_subscription_permissions(
            allow_all_participants=False,
            participant_permissions=[
                ParticipantTrackPermission(participant_identity="ben", allowed_track_sids=[aloud.sid])
            ],
        )
        await ann.play(700)
        ben = await come("ben")
        await ben.hears("ann", 440)
        published = ben.room.remote_participants["ann"].track_publications
        await eventually("ben knows both tracks", lambda: len(published) == 2)
        assert {sid for sid, each in published.items() if each.track is not None} == {aloud.sid}

    async def test_nobody_can_be_named(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.play(440)
        await ben.hears("ann", 440)
        allow(ann)
        await ben.hears_no_more_of("ann")


def allow(speaker: Person, *listeners: str) -> None:
    named = [ParticipantTrackPermission(participant_identity=each, allow_all=True) for each in listeners]
    speaker.room.local_participant.set_track_subscription_permissions(
        allow_all_participants=False, participant_permissions=named
    )


class TestDepartures:
    async def test_the_other_side_sees_it(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.leave()
        await ben.saw("left", "ann", seconds=NEWS_SECONDS)

    async def test_of_somebody_with_a_microphone_it_is_seen_at_once(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        await ann.play(440)
        await ben.hears("ann", 440)
        await ann.leave()
        await ben.saw("left", "ann", seconds=2)

    async def test_a_second_one_of_the_same_name_replaces_the_first(self, come: Gather) -> None:
        ann, ben = await come("ann"), await come("ben")
        again = await come("ann")
        await ann.saw("disconnected", "DUPLICATE_IDENTITY")
        await again.play(440)
        await ben.hears("ann", 440)

    async def test_a_removed_participant_is_told_why(self, come: Gather, livekit: Server, room: str) -> None:
        ann = await come("ann")
        async with administration(livekit) as admin:
            await admin.room.remove_participant(api.RoomParticipantIdentity(room=room, identity="ann"))
        await ann.saw("disconnected", "PARTICIPANT_REMOVED")

    async def test_a_deleted_room_tells_everybody_why(self, come: Gather, livekit: Server, room: str) -> None:
        ann, ben = await come("ann"), await come("ben")
        async with administration(livekit) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
        await asyncio.gather(ann.saw("disconnected", "ROOM_DELETED"), ben.saw("disconnected", "ROOM_DELETED"))


@pytest.mark.skipif(not os.environ.get(LIVEKIT), reason=HOW_TO_COMPARE)
class TestRealServer:
    async def test_the_server_to_compare_with_answers(self) -> None:
        async with administration(real_livekit()) as admin:
            await admin.room.list_rooms(api.ListRoomsRequest())


class TestTokens:
    async def test_a_token_of_another_key_is_refused(self, livekit: Server, room: str) -> None:
        stranger = api.AccessToken(livekit.key, "another-secret-that-is-long-enough-too").with_identity("eve")
        minted = stranger.with_grants(api.VideoGrants(room_join=True, room=room)).to_jwt()
        with pytest.raises(rtc.ConnectError):
            await Person(livekit, room, "eve").join(minted=minted)

    async def test_a_token_without_the_right_to_join_is_refused(self, livekit: Server, room: str) -> None:
        with pytest.raises(rtc.ConnectError):
            await Person(livekit, room, "eve").join(minted=token(livekit, room, "eve", room_join=False))

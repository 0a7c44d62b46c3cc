"""What the platform above is told, in which order, and that no receiver can hold up a call."""

import asyncio

import pytest
from livekit import api
from livekit.protocol import models
from tests.roomlet.comparing import RealLiveKit
from tests.roomlet.people import Gather, Server, administration, gathering, new_name
from tests.roomlet.receiving import Receiver, receiving
from tests.roomlet.running import KEY, SECRET, roomlet
from tests.roomlet.waiting import eventually, within

pytestmark = pytest.mark.xdist_group("roomlet-webhooks")


class TestOrder:
    async def test_a_room_s_story_is_told_in_order(
        self, livekit: Server, told: Receiver, come: Gather, room: str
    ) -> None:
        ann = await come("ann")
        await ann.play(440)
        ben = await come("ben")
        await ben.hears("ann", 440)
        await ann.leave()
        await ben.saw("left", "ann")
        async with administration(livekit) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
        await told.heard(room, "room_finished")
        assert [(event.event, event.participant.identity) for event in told.events if event.room.name == room] == [
            ("room_started", ""),
            ("participant_joined", "ann"),
            ("track_published", "ann"),
            ("participant_joined", "ben"),
            ("track_unpublished", "ann"),
            ("participant_left", "ann"),
            ("participant_left", "ben"),
            ("room_finished", ""),
        ]

    async def test_events_say_what_they_are_about(self, told: Receiver, come: Gather, room: str) -> None:
        ann = await come("ann")
        publication = await ann.play(440)
        published = await told.heard(room, "track_published")
        assert published.track.sid == publication.sid
        assert published.track.source == models.TrackSource.MICROPHONE
        joined = await told.heard(room, "participant_joined")
        assert joined.participant.state == models.ParticipantInfo.ACTIVE
        assert joined.room.sid == published.room.sid
        assert joined.id != published.id

    async def test_departures_carry_their_reason(
        self, livekit: Server, told: Receiver, come: Gather, room: str
    ) -> None:
        await come("ann")
        async with administration(livekit) as admin:
            await admin.room.remove_participant(api.RoomParticipantIdentity(room=room, identity="ann"))
        left = await told.heard(room, "participant_left")
        assert left.participant.disconnect_reason == models.DisconnectReason.PARTICIPANT_REMOVED
        async with administration(livekit) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
        finished = await told.heard(room, "room_finished")
        # A LiveKit server of one's own leaves the reason out (1.13 still does).
        unsaid = isinstance(livekit, RealLiveKit)
        why = models.RoomEndReason.ROOM_END_UNKNOWN if unsaid else models.RoomEndReason.ROOM_END_API_DELETE
        assert finished.room_end_reason == why

    async def test_each_way_to_go_has_its_own_reason(
        self, livekit: Server, told: Receiver, come: Gather, room: str
    ) -> None:
        ann = await come("ann")
        await come("ann")
        await ann.saw("disconnected", "DUPLICATE_IDENTITY")
        await (await come("ben")).leave()
        await come("cid")
        async with administration(livekit) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=room))
        await told.heard(room, "room_finished")
        left = [each.participant for each in told.events if each.room.name == room and each.event == "participant_left"]
        reasons = [(who.identity, models.DisconnectReason.Name(who.disconnect_reason)) for who in left]
        assert reasons == [
            ("ann", "DUPLICATE_IDENTITY"),
            ("ben", "CLIENT_INITIATED"),
            ("ann", "ROOM_DELETED"),
            ("cid", "ROOM_DELETED"),
        ]


class TestBadReceivers:
    async def test_an_event_is_sent_again_until_it_is_taken(self) -> None:
        async with receiving(KEY, SECRET) as receiver, roomlet("--webhook-urls", receiver.url) as running:
            answers = iter([500, 503])
            receiver.answer = lambda: next(answers, 200)
            name = new_name()
            async with administration(running) as admin:
                await admin.room.create_room(api.CreateRoomRequest(name=name))
            await receiver.heard(name, "room_started")
            assert receiver.requests == 3

    async def test_a_dead_receiver_delays_neither_calls_nor_other_receivers(self) -> None:
        async with receiving(KEY, SECRET) as good, receiving(KEY, SECRET) as dead:
            dead.stall = asyncio.Event()
            async with roomlet("--webhook-urls", f"{dead.url},{good.url}") as running:
                name = new_name()
                async with gathering(running, name) as come:
                    ann, ben = await come("ann"), await come("ben")
                    await ann.play(440)
                    await ben.hears("ann", 440)
                    await within("good news", good.heard(name, "track_published"), 2)
                assert dead.events == []
                dead.stall.set()

    async def test_a_backlog_is_bounded_and_owns_up_to_what_it_dropped(self) -> None:
        async with receiving(KEY, SECRET) as slow:
            slow.stall = asyncio.Event()
            async with roomlet("--webhook-urls", slow.url, "--limit-webhook-backlog", "16") as running:
                name = new_name()
                async with administration(running) as admin:
                    for _ in range(8):
                        await admin.room.create_room(api.CreateRoomRequest(name=name))
                        await admin.room.delete_room(api.DeleteRoomRequest(room=name))
                assert (await running.metrics())["roomlet_webhooks_dropped_total"] > 0
                slow.stall.set()
                await eventually("an event that tells of the loss", lambda: any(e.num_dropped for e in slow.events))

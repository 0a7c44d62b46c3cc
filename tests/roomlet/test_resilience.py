"""What a call survives: lost signalling, a full reconnect, a crashed client, a dead server, a blocked network."""

import asyncio
import signal

import pytest
from livekit import api
from tests.roomlet.browsers import chromium
from tests.roomlet.cable import cable
from tests.roomlet.people import Person, Server, administration, gathering, new_name, token
from tests.roomlet.receiving import Receiver
from tests.roomlet.running import Running, roomlet
from tests.roomlet.waiting import eventually, stays, within

pytestmark = pytest.mark.xdist_group("roomlet-resilience")


class TestSignalLoss:
    async def test_a_participant_resumes_and_audio_never_stops(self, livekit: Server, room: str) -> None:
        async with cable(livekit) as line, gathering(livekit, room) as come:
            ann = Person(line, room, "ann")
            await ann.join()
            ben = await come("ben")
            await ann.play(440)
            await ben.play(700)
            await ben.hears("ann", 440)
            before = ann.room.local_participant.sid
            line.jolt()
            await ann.saw("reconnected")
            assert ann.room.local_participant.sid == before
            assert ("left", "ann") not in ben.happened
            await ben.hears("ann", 440)
            await ann.hears("ben", 700)
            await ann.leave()

    async def test_what_happened_meanwhile_is_made_up_for(self, livekit: Server, room: str) -> None:
        async with cable(livekit) as line, gathering(livekit, room) as come:
            ann = Person(line, room, "ann")
            await ann.join()
            line.pull()
            await ann.saw("reconnecting")
            ben = await come("ben")
            await ben.play(700)
            line.plug()
            await ann.saw("reconnected", seconds=20)
            await ann.hears("ben", 700)
            await ann.room.local_participant.publish_data(b"back")
            assert (await within("ann's message", ben.data.get())).data == b"back"
            await ann.leave()

    async def test_whoever_never_comes_back_is_removed_and_the_reason_told(self, news: Receiver) -> None:
        name = new_name()
        async with roomlet("--resume-seconds", "1", "--webhook-urls", news.url) as running, cable(running) as line:
            async with gathering(running, name) as come:
                ben = await come("ben")
                ann = Person(line, name, "ann")
                await ann.join()
                await ben.saw("joined", "ann")
                line.pull()
                await ben.saw("left", "ann")
                left = await news.heard(name, "participant_left")
                assert left.participant.identity == "ann"
                assert left.participant.disconnect_reason == 14  # CONNECTION_TIMEOUT
            await ann.leave()

    @pytest.mark.parametrize(
        "options", [{}, {"singlePeerConnection": False}], ids=["one connection", "two connections"]
    )
    async def test_a_browser_resumes(self, options: dict[str, bool], livekit: Server, room: str) -> None:
        async with chromium() as browser, cable(livekit) as line, gathering(livekit, room) as come:
            ann = await come("ann")
            await ann.play(440)
            web = await browser.open("livekit-client")
            await web.join(line, room, "web", **options)
            await web.play(703)
            await ann.hears("web", 703)
            line.jolt()
            await web.saw("Reconnected")
            assert ("left", "web") not in ann.happened
            await web.hears("ann", 440)
            await ann.hears("web", 703)
            late = await come("late")
            await late.play(1010)
            await web.hears("late", 1010)

    async def test_a_browser_hears_all_who_began_to_speak_meanwhile(self, livekit: Server, room: str) -> None:
        """More of them than it has sections for, so that it must be asked for another once it is back."""
        async with chromium() as browser, cable(livekit) as line, gathering(livekit, room) as come:
            web = await browser.open("livekit-client")
            await web.join(line, room, "web")
            tones = {f"speaker {number}": 400.0 + 150 * number for number in range(4)}
            for name in list(tones)[:3]:
                await (await come(name)).play(tones[name])
                await web.hears(name, tones[name])
            line.pull()
            await web.saw("SignalReconnecting")
            await (await come("speaker 3")).play(tones["speaker 3"])
            line.plug()
            await web.saw("Reconnected")
            for name, hz in tones.items():
                await web.hears(name, hz)


class TestFullReconnect:
    async def test_a_browser_joins_anew_by_itself(self, livekit: Server, room: str) -> None:
        async with chromium() as browser, gathering(livekit, room) as come:
            ann = await come("ann")
            await ann.play(440)
            web = await browser.open("livekit-client")
            await web.join(livekit, room, "web")
            await web.play(703)
            await ann.hears("web", 703)
            await web.run("(room.simulateScenario('full-reconnect'), null)")
            await web.saw("Reconnected")
            await web.hears("ann", 440)
            await ann.hears("web", 703)


class TestServerRestart:
    async def test_a_killed_server_comes_back_and_the_call_goes_on(self) -> None:
        name = new_name()
        async with roomlet() as first, cable(first) as line:
            ann, ben = Person(line, name, "ann"), Person(line, name, "ben")
            for person, hz in ((ann, 440.0), (ben, 700.0)):
                await person.join()
                await person.play(hz)
            await ann.hears("ben", 700)
            await first.stop(signal.SIGKILL)
            await ann.saw("reconnecting")
            async with roomlet() as second:
                line.server = second
                for person in (ann, ben):
                    await person.saw("reconnected", seconds=30)
                await ann.hears("ben", 700, seconds=20)
                await ben.hears("ann", 440, seconds=20)
                await ann.leave()
                await ben.leave()

    async def test_a_stopped_server_tells_everybody(self, news: Receiver) -> None:
        name = new_name()
        async with roomlet("--webhook-urls", news.url) as running:
            ann = await Person(running, name, "ann").join()
            assert await running.stop() == 0
            await ann.saw("disconnected", "SERVER_SHUTDOWN")
            await ann.leave()
        assert news.names(name) == ["room_started", "participant_joined", "participant_left", "room_finished"]

    async def test_a_draining_server_lets_calls_go_on_and_takes_nobody_new(self) -> None:
        name = new_name()
        async with roomlet("--drain-seconds", "30") as running:
            async with gathering(running, name) as come:
                ann, ben = await come("ann"), await come("ben")
                running.process.send_signal(signal.SIGTERM)
                await ann.play(440)
                await ben.hears("ann", 440)
                with pytest.raises(Exception, match="503"):
                    await Person(running, name, "late").join()
            assert await within("roomlet stops when the last one left", running.process.wait(), 5) == 0

    async def test_a_draining_server_lets_those_who_are_in_resume(self) -> None:
        name = new_name()
        async with (
            roomlet("--drain-seconds", "30") as running,
            cable(running) as line,
            gathering(running, name) as come,
        ):
            ben = await come("ben")
            ann = await Person(line, name, "ann").join()
            running.process.send_signal(signal.SIGTERM)
            await eventually(
                "roomlet drains", lambda: "roomlet is draining" in [line["message"] for line in running.log]
            )
            line.jolt()
            await ann.saw("reconnected")
            assert ("left", "ann") not in ben.happened
            await ann.leave()


class TestBlockedUdp:
    async def test_a_call_works_over_tcp_alone(self) -> None:
        async with roomlet("--no-udp") as running, gathering(running, new_name()) as come:
            ann, ben = await come("ann"), await come("ben")
            await ann.play(440)
            await ben.hears("ann", 440)


class TestIpv6:
    async def test_a_call_works_over_ipv6(self) -> None:
        """Media goes to the only address on offer."""
        async with (
            roomlet("--media-addresses", "::1", "--host", "127.0.0.1") as running,
            gathering(running, new_name()) as come,
        ):
            ann, ben = await come("ann"), await come("ben")
            await ann.play(440)
            await ben.hears("ann", 440)


class TestIdleRooms:
    async def test_a_room_that_everybody_left_is_closed(self, news: Receiver) -> None:
        name = new_name()
        async with roomlet("--departure-timeout-seconds", "1", "--webhook-urls", news.url) as running:
            async with gathering(running, name) as come:
                await come("ann")
            finished = await news.heard(name, "room_finished")
            assert finished.room_end_reason == 2  # ROOM_END_IDLE_TIMEOUT

    async def test_a_room_that_nobody_joined_is_closed(self, server: Running, news: Receiver) -> None:
        name = new_name()
        async with administration(server) as admin:
            await admin.room.create_room(api.CreateRoomRequest(name=name, empty_timeout=1))
        assert (await news.heard(name, "room_finished")).room_end_reason == 2  # ROOM_END_IDLE_TIMEOUT

    async def test_an_agent_alone_does_not_keep_a_room_open(self, news: Receiver) -> None:
        name = new_name()
        async with roomlet("--departure-timeout-seconds", "1", "--webhook-urls", news.url) as running:
            async with gathering(running, name) as come:
                ann = await come("ann")
                helper = Person(running, name, "helper")
                await helper.join(minted=token(running, name, "helper", kind="agent", agent=True))
                await ann.leave()
                await helper.saw("disconnected", "ROOM_CLOSED")
                await helper.leave()
            await news.heard(name, "room_finished")

    async def test_a_room_with_somebody_in_it_stays(self) -> None:
        name = new_name()
        async with (
            roomlet("--departure-timeout-seconds", "1", "--empty-timeout-seconds", "1") as running,
            gathering(running, name) as come,
        ):
            ann = await come("ann")
            await stays("ann is in", lambda: not any(what == "disconnected" for what, _ in ann.happened), 3)


async def test_many_join_at_once_and_all_hear_each_other(livekit: Server, room: str) -> None:
    tones = {f"p{i}": 300.0 + 170 * i for i in range(6)}
    async with gathering(livekit, room) as come:
        people = dict(zip(tones, await asyncio.gather(*(come(name) for name in tones)), strict=True))
        await asyncio.gather(*(people[name].play(hz) for name, hz in tones.items()))
        for listener in people.values():
            await asyncio.gather(*(listener.hears(n, hz) for n, hz in tones.items() if n != listener.identity))

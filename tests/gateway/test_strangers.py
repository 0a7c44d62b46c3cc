"""What reaches a media socket and is no carrier, or one at its worst: it costs its own call at most."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gateway.standing_in import new_guest
from tests.gateway.station import Station
from tests.roomlet.people import Gather
from tests.roomlet.waiting import eventually, stays, within
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rymi_server.calls.models import Role
from rymi_server.telephony.bridge.guests import Ending, Guest

FRAME = base64.b64encode(b"\x40" * 160).decode()


def start(stream: str = "MZ1") -> str:
    form = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    inside = {"streamSid": stream, "callSid": "CA1", "tracks": ["inbound"], "customParameters": {}, "mediaFormat": form}
    return json.dumps({"event": "start", "sequenceNumber": "1", "streamSid": stream, "start": inside})


def media(number: int) -> str:
    inside = {"track": "inbound", "chunk": str(number), "timestamp": str(number * 20), "payload": FRAME}
    return json.dumps({"event": "media", "sequenceNumber": str(number), "streamSid": "MZ1", "media": inside})


@contextlib.asynccontextmanager
async def line(station: Station, guest: Guest, *, begins: bool = True) -> AsyncIterator[ClientConnection]:
    """A socket as Twilio would open it, to do with as one likes."""
    token = f"t{guest.participant.id}"
    station.door.guests[token] = guest
    async with connect(station.media_url("twilio", guest.leg_id, token), compression=None) as socket:
        if begins:
            await socket.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
            await socket.send(start())
        yield socket


async def closed_with(socket: ClientConnection) -> int | None:
    async def read() -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.recv()

    await within("the gateway closes", read(), 20)
    return socket.close_code


async def bridged(station: Station, guest: Guest) -> None:
    await eventually("the phone is bridged", lambda: guest.leg_id in station.ledger.bridged_legs, 20)


async def ended(station: Station, guest: Guest, seconds: float = 20) -> Ending:
    await eventually("the bridge is over", lambda: guest.leg_id in station.ledger.endings, seconds)
    return station.ledger.endings[guest.leg_id]


class TestTheDoor:
    @pytest.mark.parametrize("path", ["/", "/media/twilio", "/media/skype/leg_1/t", "/media/twilio/leg_1/a/b"])
    async def test_is_not_there_for_other_paths(self, station: Station, path: str) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{station.port}{path}")
        assert refused.value.response.status_code == 404

    async def test_stays_shut_for_a_wrong_token(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with connect(station.media_url("twilio", guest.leg_id, "guessed")) as socket:
            assert await closed_with(socket) == 1008
        assert station.ledger.bridged_legs == []

    async def test_shuts_for_who_does_not_begin(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest, begins=False) as socket:
            await socket.send(media(1))
            assert await closed_with(socket) == 1008
        # It was answered, so the carrier must be told to hang up.
        assert await ended(station, guest) is Ending.NO_ROOM

    async def test_shuts_once_the_gateway_is_full(self, station: Station) -> None:
        station.gateway.most_bridges = 1
        first, second = new_guest(station.call_id), new_guest(station.call_id)
        async with line(station, first), line(station, second) as late:
            assert await closed_with(late) == 1008
        assert await ended(station, second) is Ending.NO_ROOM

    async def test_lets_nobody_in_whose_call_is_over(self, station: Station) -> None:
        station.ledger.is_wanted = False
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await closed_with(socket)
        assert await ended(station, guest) is Ending.ROOM_CLOSED

    async def test_answers_the_web_with_404(self, station: Station) -> None:
        async with station.lab.http.get(f"http://127.0.0.1:{station.port}/healthz") as response:
            assert response.status in (404, 426)


class TestASocketAtItsWorst:
    async def test_that_floods_is_closed(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            with contextlib.suppress(ConnectionClosed):
                for number in range(20_000):
                    await socket.send(media(number))
            await closed_with(socket)
        assert await ended(station, guest) is Ending.MISBEHAVED

    async def test_that_speaks_nonsense_is_closed(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            with contextlib.suppress(ConnectionClosed):
                for _ in range(100):
                    await socket.send("{nonsense")
            await closed_with(socket)
        assert await ended(station, guest) is Ending.MISBEHAVED

    async def test_that_sends_too_much_at_once_is_closed(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            with contextlib.suppress(ConnectionClosed):
                await socket.send("x" * 200_000)
            assert await closed_with(socket) == 1009
        await ended(station, guest)

    async def test_that_falls_silent_is_lost(self, station: Station) -> None:
        station.gateway.silence_s = 0.5
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            await closed_with(socket)
        assert await ended(station, guest) is Ending.CONNECTION_LOST

    async def test_that_reads_nothing_does_not_grow_without_end(self, station: Station, come: Gather) -> None:
        """Its audio is given up, and everybody else's call goes on."""
        browser = await come("browser")
        await browser.play(440)
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            socket.transport.pause_reading()
            for number in range(150):
                await socket.send(media(number))
                await asyncio.sleep(0.02)
            bridge = station.gateway.bridges[guest.leg_id]
            assert bridge.waiting_frames <= 25
            await browser.hears_silence(guest.participant.id)
            socket.transport.abort()
        assert await ended(station, guest) is Ending.CONNECTION_LOST

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.one_of(st.binary(max_size=300), st.text(max_size=200)), max_size=20))
    async def test_that_sends_anything_at_all_harms_nobody(self, messages: list[str | bytes]) -> None:
        station = self.station
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            with contextlib.suppress(ConnectionClosed):
                for message in messages:
                    await socket.send(message)
                await socket.send('{"event":"stop","streamSid":"MZ1"}')
        assert await ended(station, guest) in (Ending.HUNG_UP, Ending.MISBEHAVED, Ending.CONNECTION_LOST)

    @pytest.fixture(autouse=True)
    def _at(self, station: Station) -> None:
        self.station = station


class TestASecondSocket:
    async def test_takes_over_and_the_participant_stays(self, station: Station, come: Gather) -> None:
        browser = await come("browser")
        guest = new_guest(station.call_id)
        async with line(station, guest) as first:
            await bridged(station, guest)
            await browser.saw("joined", guest.participant.id)
            async with line(station, guest) as second:
                await within("the first is closed", first.wait_closed())
                for number in range(20):
                    await second.send(media(number))
                await stays("one bridge", lambda: len(station.gateway.bridges) == 1)
                assert ("left", guest.participant.id) not in browser.happened
                await second.send('{"event":"stop","streamSid":"MZ1"}')
        assert await ended(station, guest) is Ending.HUNG_UP
        assert station.ledger.bridged_legs == [guest.leg_id]

    async def test_may_come_a_moment_after_the_first_broke(self, station: Station, come: Gather) -> None:
        browser = await come("browser")
        guest = new_guest(station.call_id)
        async with line(station, guest) as first:
            await bridged(station, guest)
            first.transport.abort()
            await within("the first is gone", first.wait_closed())
        async with line(station, guest):
            await eventually("it is carried on", lambda: station.gateway.bridges[guest.leg_id].has_socket)
        assert ("left", guest.participant.id) not in browser.happened

    async def test_in_another_format_is_not_taken(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest) as first:
            await bridged(station, guest)
            token = f"t{guest.participant.id}"
            async with connect(station.media_url("vonage", guest.leg_id, token)) as other:
                await other.send('{"event":"websocket:connected","content-type":"audio/l16;rate=16000"}')
                assert await closed_with(other) == 1008
            await first.send(media(1))
            assert len(station.gateway.bridges) == 1


class TestAnObserver:
    async def test_hears_and_is_not_heard(self, station: Station, come: Gather) -> None:
        browser = await come("browser")
        guest = new_guest(station.call_id, Role.OBSERVER)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            for number in range(25):
                await socket.send(media(number))
            assert "mark" in await within("a mark that tells the way", socket.recv())
            assert "media" in await within("audio", socket.recv())
            assert guest.participant.id not in browser.tracks()


class TestDraining:
    async def test_waits_for_calls_and_lets_nobody_in(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest) as socket:
            await bridged(station, guest)
            draining = asyncio.create_task(station.gateway.drain(30, station.enough))
            await stays("it is waited for", lambda: not draining.done(), 0.3)
            with pytest.raises(InvalidStatus) as refused:
                await connect(station.media_url("twilio", "leg_2", "t"))
            assert refused.value.response.status_code == 503
            await socket.send('{"event":"stop","streamSid":"MZ1"}')
            await within("the gateway is drained", draining)
        assert await ended(station, guest) is Ending.HUNG_UP

    async def test_ends_in_time_all_the_same(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest):
            await bridged(station, guest)
            await within("the gateway is drained", station.gateway.drain(0.2, station.enough))
        assert await ended(station, guest) is Ending.STOPPED

    async def test_waits_for_who_was_at_the_door_as_well(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest, begins=False) as socket:
            draining = asyncio.create_task(station.gateway.drain(30, station.enough))
            await stays("it is waited for", lambda: not draining.done(), 0.3)
            await socket.send(start())
            await bridged(station, guest)
            await stays("it is waited for", lambda: not draining.done(), 0.3)
            station.enough.set()
            await within("the gateway is drained", draining)
        assert await ended(station, guest) is Ending.STOPPED

    async def test_lets_nobody_in_who_was_at_the_door_and_comes_too_late(self, station: Station) -> None:
        guest = new_guest(station.call_id)
        async with line(station, guest, begins=False) as socket:
            await eventually("it knocks", lambda: station.door.knocks)
            draining = asyncio.create_task(station.gateway.drain(0, station.enough))
            await stays("it is waited for", lambda: not draining.done(), 0.3)
            await socket.send(start())
            await within("the gateway is drained", draining)
            assert await closed_with(socket) == 1008
        assert await ended(station, guest) is Ending.NO_ROOM

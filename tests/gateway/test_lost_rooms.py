"""A room server that goes away in mid-call, and comes back."""

import signal
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.carrierbox.sound import tone
from tests.gateway.standing_in import Ledger, TestDoor
from tests.gateway.station import Station, phone_hears
from tests.roomlet.people import gathering
from tests.roomlet.running import Running, roomlet
from tests.roomlet.waiting import eventually
from tests.support.up import free_ports

from carrierbox.line.recording import write_wav
from rymi_server.telephony.bridge.guests import Ending


@pytest.fixture
async def ports() -> tuple[int, int, int]:
    http, udp, tcp = free_ports(3)
    return http, udp, tcp


@pytest.fixture
async def own_rooms(ports: tuple[int, int, int]) -> AsyncIterator[Running]:
    http, udp, tcp = ports
    async with roomlet(http_port=http, udp_port=udp, tcp_port=tcp) as running:
        yield running


async def test_a_lost_room_is_entered_again_and_the_phone_stays_on_the_line(
    own_rooms: Running, ports: tuple[int, int, int], lab: Lab, customer: Customer
) -> None:
    http, udp, tcp = ports
    station = Station(own_rooms, lab, customer, TestDoor(), Ledger(), CollectorRegistry(), number=900)
    async with station.open():
        phone = await station.call("twilio")
        await own_rooms.stop(signal.SIGKILL)
        async with (
            roomlet(http_port=http, udp_port=udp, tcp_port=tcp) as again,
            gathering(again, station.room) as come,
        ):
            browser = await come("browser")
            await browser.play(440)
            await eventually("it is back", lambda: phone.identity in browser.room.remote_participants, 60)
            await lab.http.post(f"{lab.address}/control/calls/{phone.box_id}/play", data=write_wav(tone(620, 25)))
            await browser.hears(phone.identity, 620)
            await phone_hears(lab, phone, 440)
            assert station.ledger.endings == {}
            await lab.send("POST", f"/calls/{phone.box_id}/hang-up")
            assert await station.ended(phone) is Ending.HUNG_UP
            await eventually("nobody is left", lambda: ("left", phone.identity) in browser.happened)

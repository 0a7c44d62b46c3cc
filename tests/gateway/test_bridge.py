"""A phone in a room, on each carrier: who hears whom, by spectrum; and what happens at the edges of it."""

import asyncio

import pytest
from livekit import api
from tests.gateway.station import Station, cut, phone_hears, phone_hears_nothing, plays
from tests.roomlet.people import Gather, administration
from tests.roomlet.waiting import eventually, within

from rymi_server.telephony.bridge.guests import Ending

EACH_CARRIER = pytest.mark.parametrize("carrier", ["twilio", "plivo", "vonage"])


@EACH_CARRIER
class TestAPhoneInARoom:
    async def test_hears_everybody_else_and_is_heard_by_them(
        self, station: Station, come: Gather, carrier: str
    ) -> None:
        browser = await come("browser")
        await browser.play(440)
        phone = await station.call(carrier, plays(620))
        agent = await come("agent", kind="agent")
        await agent.play(1200)
        await browser.hears(phone.identity, 620)
        await agent.hears(phone.identity, 620)
        await phone_hears(station.lab, phone, 440)
        await phone_hears(station.lab, phone, 1200)
        await station.lab.send("POST", f"/calls/{phone.box_id}/hang-up")
        assert await station.ended(phone) is Ending.HUNG_UP

    async def test_keys_go_both_ways(self, station: Station, come: Gather, carrier: str) -> None:
        phone = await station.call(carrier)
        agent = await come("agent", kind="agent")
        await eventually("the agent sees the phone", lambda: phone.identity in agent.room.remote_participants)
        await station.lab.send("POST", f"/calls/{phone.box_id}/press", {"digits": "4#"})
        pressed = [await within("a key", agent.digits.get()) for _ in range(2)]
        assert [(each.digit, each.code) for each in pressed] == [("4", 4), ("#", 11)]
        assert {each.participant.identity for each in pressed if each.participant} == {phone.identity}
        await agent.room.local_participant.publish_dtmf(code=7, digit="7")
        await station.lab.call_until_event(phone.box_id, "heard key 7")

    async def test_an_interruption_of_a_backlog_is_cleared(self, station: Station, come: Gather, carrier: str) -> None:
        """The box stops reading for a while, as a carrier with a stalled network does."""
        agent = await come("agent", kind="agent")
        await agent.play(1200)
        phone = await station.call(carrier)
        await phone_hears(station.lab, phone, 1200)
        await station.fault(phone, "stall", ms=1500)
        await asyncio.sleep(1.2)
        await cut(agent.room)
        cleared = await station.lab.call_until_event(phone.box_id, "cleared")
        assert [entry for entry in cleared["timeline"] if entry["event"] == "cleared"]
        await phone_hears(station.lab, phone, 1200)
        assert station.value("rymi_gateway_clears_total") == 1

    async def test_an_interruption_without_a_backlog_is_not(self, station: Station, come: Gather, carrier: str) -> None:
        agent = await come("agent", kind="agent")
        await agent.play(1200)
        phone = await station.call(carrier)
        await phone_hears(station.lab, phone, 1200)
        await cut(agent.room)
        await agent.leave()
        await phone_hears_nothing(station.lab, phone)
        assert station.value("rymi_gateway_clears_total") == 0

    async def test_leaves_when_its_call_ends(self, station: Station, come: Gather, carrier: str) -> None:
        phone = await station.call(carrier)
        async with administration(station.rooms) as admin:
            await admin.room.delete_room(api.DeleteRoomRequest(room=station.room))
        assert await station.ended(phone) is Ending.ROOM_CLOSED

    async def test_a_socket_that_breaks_in_mid_frame_is_a_lost_connection(
        self, station: Station, come: Gather, carrier: str
    ) -> None:
        phone = await station.call(carrier)
        await station.fault(phone, "tear")
        assert await station.ended(phone) is Ending.CONNECTION_LOST

    async def test_a_flood_is_survived_and_its_delay_worked_off(
        self, station: Station, come: Gather, carrier: str
    ) -> None:
        browser = await come("browser")
        phone = await station.call(carrier)
        await station.fault(phone, "flood", ms=4000)
        await station.fault(phone, "garbage", body="{nonsense")
        await station.suffered(phone, 2)
        await eventually("the delay is gone", lambda: station.bridge(phone).phone_delay_ms <= 120, seconds=20)
        await station.lab.send("POST", f"/calls/{phone.box_id}/press", {"digits": "1"})
        assert (await within("a key", browser.digits.get())).digit == "1"

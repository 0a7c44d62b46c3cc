"""A phone in a room, on each carrier: who hears whom, by spectrum; and what happens at the edges of it."""

import pytest
from tests.gateway.station import Station, phone_hears, plays
from tests.roomlet.people import Gather

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

"""The tester's own door: what it shows, what it starts, and what it refuses."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab, events
from tests.carrierbox.sound import loud_ms, loudest_hertz, read_wav, tone
from tests.carrierbox.test_twilio_calls import SOMEBODY, place, stream_document
from tests.support.box_lab import UNHURRIED

from carrierbox import stock
from carrierbox.clock import SteadyClock
from carrierbox.line.recording import write_wav
from carrierbox.server import serving

FROM = stock.NUMBERS["twilio"][0]


@pytest.fixture
async def guarded(http: aiohttp.ClientSession, customer: Customer) -> AsyncIterator[str]:
    async with serving(replace(UNHURRIED, control_token="open sesame"), SteadyClock()) as (_, address):
        yield address


class TestTheControlApi:
    async def test_lets_a_person_say_play_press_and_hang_up(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        await customer.wait_for_socket()
        await lab.send("POST", f"/calls/{sid}/say", {"text": "hello again"})
        await lab.call_until_event(sid, "says: hello again")
        async with lab.http.post(f"{lab.address}/control/calls/{sid}/play", data=write_wav(tone(700, 0.3))) as response:
            assert response.status == 204
        await lab.call_until_event(sid, "says: (sound)")
        await lab.send("POST", f"/calls/{sid}/press", {"digits": "5"})
        await lab.call_until_event(sid, "presses key")
        await lab.send("POST", f"/calls/{sid}/hang-up", {})
        over = await lab.call_until(sid, "ended")
        assert (over["reason"], over["ended_by"]) == ("completed", "party")
        async with lab.http.get(f"{lab.address}/control/calls/{sid}/spoken.wav") as response:
            spoken = read_wav(await response.read())[:, 0]
        last = loud_ms(spoken)[-15:]
        assert loudest_hertz(spoken[last[0] * 8 : last[-1] * 8]) == pytest.approx(700, abs=5)

    async def test_lets_a_scripted_caller_play_a_wav(self, lab: Lab, customer: Customer) -> None:
        assert (await lab.get("/numbers"))["numbers"][0]["number"] == FROM
        called = await lab.send("POST", "/calls", {"carrier": "twilio", "to": FROM, "script": {"name": "mine"}})
        over = await lab.call_until(called["id"], "ended")
        assert (over["script"], over["direction"], over["from"]) == ("mine", "inbound", "+12025550199")

    async def test_gives_both_sides_as_two_channels(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("text/xml", "<Response><Say>hello</Say></Response>")
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        await lab.call_until(sid, "ended")
        async with lab.http.get(f"{lab.address}/control/calls/{sid}/both.wav") as response:
            both = read_wav(await response.read())
        assert both.shape[1] == 2
        assert loud_ms(both[:, 0]) == []
        assert loud_ms(both[:, 1]) != []

    @pytest.mark.parametrize(
        ("method", "path", "body", "status", "why"),
        [
            ("GET", "/calls/none", None, 404, "No such call"),
            ("POST", "/calls/none/say", {"text": "x"}, 404, "No such call"),
            ("POST", "/calls", {"carrier": "acme", "to": FROM}, 400, "carrier must be one of"),
            ("POST", "/calls", {"carrier": "twilio", "to": SOMEBODY}, 400, "owns that number"),
            ("POST", "/calls", {"carrier": "twilio", "to": "x"}, 400, "to must be a phone number"),
            ("POST", "/calls", {"carrier": "twilio", "to": FROM, "script": 5}, 400, "script must be an object"),
            ("PUT", "/scripts/+12025550100", {"pickup": "maybe"}, 400, "script.pickup must be one of"),
            (
                "PUT",
                "/scripts/+12025550100",
                {"moves": [{"do": "say", "text": "x", "voice": "nobody"}]},
                400,
                "no voice",
            ),
            ("POST", "/faults", {"target": "moon"}, 400, "target must be one of"),
            ("POST", "/accounts", {"carrier": "twilio"}, 400, "needs a carrier"),
            ("POST", "/numbers", {"carrier": "twilio", "account_id": "AC9"}, 400, "must name an account"),
            ("POST", "/faults", [1], 400, "must be a JSON object"),
            ("GET", "/calls?limit=0", None, 400, "limit must be"),
            ("GET", "/nowhere", None, 404, "Not Found"),
        ],
    )
    async def test_says_what_it_refuses(
        self, lab: Lab, method: str, path: str, body: object, status: int, why: str
    ) -> None:
        async with lab.http.request(method, f"{lab.address}/control{path}", json=body) as response:
            assert response.status == status
            assert why in (await response.json())["error"]

    async def test_commands_nobody_who_is_gone(self, hurried: Lab, customer: Customer) -> None:
        sid = await place(hurried, customer, to="+12025550101")
        await hurried.call_until(sid, "ended")
        async with hurried.http.post(f"{hurried.address}/control/calls/{sid}/hang-up") as response:
            assert (response.status, (await response.json())["error"]) == (409, "The call is over.")

    async def test_gives_up_waiting_when_it_was_told_to(self, lab: Lab, customer: Customer) -> None:
        sid = await place(lab, customer, to="+12025550102")
        async with lab.http.get(f"{lab.address}/control/calls/{sid}?until=ended&timeout_s=0") as response:
            assert (response.status, (await response.json())["timed_out"]) == (408, True)

    async def test_starts_over(self, lab: Lab, customer: Customer) -> None:
        await lab.send("POST", "/faults", {"target": "callback", "act": "drop"})
        await lab.script(SOMEBODY, {"do": "stay"})
        await lab.send("POST", "/accounts", {"carrier": "plivo", "id": "MA2", "secret": "x"})
        customer.documents["/answer"] = stream_document(customer)
        await place(lab, customer)
        socket = await customer.wait_for_socket()
        await lab.send("POST", "/reset")
        assert socket.closed
        assert (await lab.get("/calls"))["calls"] == []
        assert (await lab.get("/faults"))["faults"] == []
        assert len((await lab.get("/accounts"))["accounts"]) == 3
        assert SOMEBODY not in (await lab.get("/scripts"))["numbers"]

    async def test_serves_a_page_that_asks_it(self, lab: Lab) -> None:
        async with lab.http.get(lab.address) as response:
            assert response.content_type == "text/html"
            assert "carrierbox: Twilio, Plivo and Vonage on one machine" in await response.text()
        async with lab.http.get(f"{lab.address}/healthz") as response:
            assert await response.json() == {"status": "ok", "live_calls": 0}

    async def test_is_closed_without_its_token_and_to_other_sites(self, guarded: str, lab: Lab) -> None:
        async with lab.http.get(f"{guarded}/control/calls") as response:
            assert response.status == 401
        async with lab.http.get(
            f"{guarded}/control/calls", headers={"Authorization": "Bearer open sesame"}
        ) as response:
            assert response.status == 200
        async with lab.http.post(
            f"{lab.address}/control/reset", headers={"Origin": "https://evil.example"}
        ) as response:
            assert response.status == 403
        renamed = {"Host": "evil.example"}
        async with lab.http.post(f"{lab.address}/control/reset", headers=renamed) as response:
            assert response.status == 403


class TestAMagicNumber:
    async def test_goes_to_voicemail_and_hears_the_message_after_the_beep(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = ("text/xml", "<Response><Pause length='1'/><Say>call me</Say></Response>")
        await lab.script(
            SOMEBODY, {"do": "say", "text": "leave a message"}, {"do": "beep"}, {"do": "listen"}, being="machine"
        )
        sid = await place(lab, customer)
        over = await lab.call_until(sid, "ended")
        assert events(over).index("says: leave a message") < events(over).index("says: (beep)")
        assert loud_ms(await lab.heard(sid)) != []

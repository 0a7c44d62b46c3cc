"""Applications that misbehave: on their sockets, in their webhooks, and with bodies that are too large."""

import asyncio
import base64
import io
import json

import aiohttp
import pytest
from tests.carrierbox.customer import Customer, Socket
from tests.carrierbox.lab import SILENT, Lab, events
from tests.carrierbox.test_twilio_calls import SOMEBODY, place, stream_document

from carrierbox import stock
from carrierbox.calls.carrier import Audio, BadMessage, ClearOrder, Ignored, MarkOrder, PressOrder
from carrierbox.plivo.stream import PlivoWire
from carrierbox.plivo.xml import StreamOptions
from carrierbox.twilio.stream import TwilioWire
from carrierbox.vonage.stream import VonageWire

AUDIO = base64.b64encode(bytes(160)).decode()


def twilio_wire() -> TwilioWire:
    return TwilioWire("MZ1", "CA1", "AC1", {})


def plivo_wire(bidirectional: bool = True) -> PlivoWire:
    return PlivoWire("s1", "c1", "MA1", "mulaw", 8000, StreamOptions(bidirectional), 0)


class TestTwiliosSocketLanguage:
    def test_is_understood(self) -> None:
        wire = twilio_wire()
        assert wire.read(json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": AUDIO}})) == Audio(
            bytes(160)
        )
        assert wire.read('{"event": "mark", "streamSid": "MZ1", "mark": {"name": "m"}}') == MarkOrder("m")
        assert wire.read('{"event": "clear", "streamSid": "MZ1"}') == ClearOrder()

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "{",
            "[1]",
            "null",
            "[" * 100_000,
            b"\x00",
            '{"event": "media", "streamSid": "MZ1"}',
            '{"event": "media", "streamSid": "MZ1", "media": "AAAA"}',
            '{"event": "media", "streamSid": "MZ1", "media": {"payload": 5}}',
            '{"event": "media", "streamSid": "MZ1", "media": {"payload": "not base64!"}}',
            '{"event": "mark", "streamSid": "MZ1", "mark": "m"}',
            '{"event": "mark", "streamSid": "MZ1", "mark": {"name": 5}}',
        ],
    )
    def test_ends_the_socket_with_twilios_code_if_it_is_broken(self, message: str | bytes) -> None:
        with pytest.raises(BadMessage) as error:
            twilio_wire().read(message)
        assert error.value.carrier_code == "31924"

    @pytest.mark.parametrize(
        "message", ['{"event": "sing", "streamSid": "MZ1"}', '{"event": "clear", "streamSid": "MZ2"}']
    )
    def test_is_ignored_if_it_means_nothing(self, message: str) -> None:
        assert isinstance(twilio_wire().read(message), Ignored)


class TestPlivosSocketLanguage:
    def test_is_understood(self) -> None:
        media = {"contentType": "audio/x-mulaw", "sampleRate": "8000", "payload": AUDIO}
        assert plivo_wire().read(json.dumps({"event": "playAudio", "media": media})) == Audio(bytes(160))
        assert plivo_wire().read('{"event": "checkpoint", "name": "m"}') == MarkOrder("m")
        assert plivo_wire().read('{"event": "sendDTMF", "dtmf": "1#"}') == PressOrder("1#")

    @pytest.mark.parametrize(
        "media",
        [
            {"contentType": "audio/x-mulaw;rate=8000", "sampleRate": 8000, "payload": AUDIO},
            {"contentType": "audio/x-mulaw", "sampleRate": 16_000, "payload": AUDIO},
            {"contentType": "audio/x-l16", "sampleRate": 8000, "payload": AUDIO},
            {"contentType": "audio/x-mulaw", "sampleRate": 8000, "payload": "A" * 16_388},
        ],
        ids=["with rate", "other rate", "other kind", "too large"],
    )
    def test_plays_no_audio_of_another_format(self, media: dict[str, object]) -> None:
        assert isinstance(plivo_wire().read(json.dumps({"event": "playAudio", "media": media})), Ignored)

    def test_is_not_listened_to_on_a_stream_of_one_direction(self) -> None:
        assert isinstance(plivo_wire(bidirectional=False).read('{"event": "clearAudio"}'), Ignored)


class TestVonagesSocketLanguage:
    def test_is_understood(self) -> None:
        wire = VonageWire(8000, {})
        assert wire.read(bytes(320)) == Audio(b"\xff" * 160)
        assert wire.read('{"action": "notify", "payload": {"a": 1}}') == MarkOrder({"a": 1})
        assert wire.read('{"action": "clear"}') == ClearOrder()
        assert isinstance(wire.read("nonsense"), Ignored)

    @pytest.mark.parametrize("size", [0, 160, 319, 321, 640])
    def test_takes_no_frame_of_another_size(self, size: int) -> None:
        with pytest.raises(BadMessage, match="unexpected frame size"):
            VonageWire(8000, {}).read(bytes(size))


class TestASocket:
    async def test_that_talks_nonsense_is_closed_and_the_call_goes_on_with_its_document(
        self, lab: Lab, customer: Customer
    ) -> None:
        async def talk(socket: Socket) -> None:
            await socket.ws.send_str("nonsense")

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        over = await lab.call_until(sid, "ended")
        assert (over["reason"], customer.sockets[0].ws.close_code) == ("document_over", 1002)
        assert "bad media message" in events(over)

    async def test_that_floods_is_played_in_real_time_and_bounded(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            await customer.wait("the start", lambda: len(socket.messages) >= 2)
            sid = json.loads(socket.messages[1])["streamSid"]
            minute = base64.b64encode(bytes(480_000)).decode()
            for _ in range(15):
                await socket.ws.send_json({"event": "media", "streamSid": sid, "media": {"payload": minute}})
            for number in range(1200):
                await socket.ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": str(number)}})

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        await lab.script(SOMEBODY, {"do": "stay"})
        sid = await place(lab, customer)
        await lab.call_until_event(sid, "media message ignored")
        playout = lab.box.exchange.phone(sid).conversation.playout
        assert 590_000 <= playout.buffered_ms <= 600_000
        assert playout.dropped >= 5 * 60 * 8000 - 80_000
        ignored = [e for e in events(await lab.get(f"/calls/{sid}")) if e == "media message ignored"]
        assert len(ignored) <= 20

    async def test_that_sends_too_large_a_message_is_closed(self, lab: Lab, customer: Customer) -> None:
        async def talk(socket: Socket) -> None:
            await socket.ws.send_str("x" * 3_000_000)

        customer.talk, customer.documents["/answer"] = talk, stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        await lab.call_until(sid, "ended")
        assert customer.sockets[0].closed

    async def test_that_is_refused_ends_the_step_and_says_so(self, lab: Lab, customer: Customer) -> None:
        kind, xml = stream_document(customer)
        customer.documents["/answer"] = (kind, xml.replace("/media", "/nowhere"))
        sid = await place(lab, customer, to=SILENT)
        failed = await customer.wait_for_webhook("/stream", StreamEvent="stream-error")
        assert failed.form["StreamError"] == "the socket could not be opened: answered 204"
        assert (await lab.call_until(sid, "ended"))["reason"] == "document_over"

    async def test_with_a_query_is_not_even_tried_by_twilio(self, lab: Lab, customer: Customer) -> None:
        kind, xml = stream_document(customer)
        customer.documents["/answer"] = (kind, xml.replace("/media", "/media?token=1"))
        await place(lab, customer, to=SILENT)
        failed = await customer.wait_for_webhook("/stream", StreamEvent="stream-error")
        assert failed.form["StreamError"].startswith("31920")
        assert customer.sockets == []

    async def test_leaves_nothing_running_behind(self, lab: Lab, customer: Customer) -> None:
        customer.documents["/answer"] = stream_document(customer)
        sid = await place(lab, customer, to=SILENT)
        await customer.wait_for_socket()
        for act in ("cut", "stall", "garbage", "flood", "tear"):
            await lab.send("POST", "/faults", {"target": "media", "act": act})
            await place(lab, customer, to=SILENT)
        more = {"machine_detection": "DetectMessageEnd", "async_amd": "true"}
        await place(lab, customer, to="+12025550104", **more)
        await place(lab, customer, to="+12025550102")
        await customer.wait("seven sockets", lambda: len(customer.sockets) == 7)
        await lab.send("POST", "/reset")
        await customer.wait("their ends", lambda: all(socket.closed for socket in customer.sockets))
        names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
        ours = {"MediaSession", "PhoneCall", "Conversation", "DocumentRun", "Courier"}
        assert {name for name in names if name.split(".")[0] in ours} == set()
        async with lab.http.get(f"{lab.address}/control/calls/{sid}") as response:
            assert response.status == 404


class TestABody:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            (f"/twilio/2010-04-01/Accounts/{stock.TWILIO_SID}/Calls.json", 413),
            (f"/plivo/v1/Account/{stock.PLIVO_ID}/Call/", 413),
            ("/vonage/v2/applications", 413),
        ],
    )
    async def test_that_is_huge_is_refused(self, lab: Lab, path: str, status: int) -> None:
        account = next(a for a in lab.box.accounts.all() if path.startswith(f"/{a.carrier}"))
        headers = {
            "Authorization": aiohttp.encode_basic_auth(account.id, account.secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with lab.http.post(
            f"{lab.address}{path}", data=io.BytesIO(b"x" * 2_000_000), headers=headers
        ) as response:
            assert response.status == status

    @pytest.mark.parametrize("body", ["", "{", "[]", "null", '"x"'])
    async def test_that_is_no_json_object_is_refused_by_those_who_want_one(self, lab: Lab, body: str) -> None:
        plivo = {"Authorization": aiohttp.encode_basic_auth(stock.PLIVO_ID, stock.PLIVO_TOKEN)}
        vonage = {"Authorization": aiohttp.encode_basic_auth(stock.VONAGE_KEY, stock.VONAGE_SECRET)}
        url = f"{lab.address}/plivo/v1/Account/{stock.PLIVO_ID}/Call/"
        async with lab.http.post(url, data=body, headers=plivo) as response:
            assert response.status == 400
        async with lab.http.post(f"{lab.address}/vonage/v2/applications", data=body, headers=vonage) as response:
            assert response.status == 400

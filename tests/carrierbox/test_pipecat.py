"""The serializers of pipecat-ai, unchanged, as the application at the media sockets of Twilio and Plivo."""

import base64
import importlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.carrierbox import test_plivo_calls as plivo
from tests.carrierbox import test_twilio_calls as twilio
from tests.carrierbox.customer import Customer, Socket
from tests.carrierbox.lab import Lab
from tests.carrierbox.sound import Samples, loud_ms, loudest_hertz, tone

from carrierbox import stock

_FOLDER = Path(sys.prefix) / "clients" / "pipecat"
_RATE = 16_000
_SPEAKS_AT = 24_000
# How long a message may take between two busy processes of a busy machine.
_LATENESS_MS = 500

pytestmark = pytest.mark.skipif(
    not (_FOLDER / "pipecat").is_dir(),
    reason=f"pipecat-ai is not in {_FOLDER}; deploy/make-test-clients brings it",
)


@pytest.fixture(scope="module", autouse=True)
def pipecat() -> Iterator[SimpleNamespace]:
    """Its modules. What the environment itself has comes first on the path."""
    sys.path.append(str(_FOLDER))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Whom it warns of deprecated modules are its own makers.
            yield SimpleNamespace(
                frames=importlib.import_module("pipecat.frames.frames"),
                twilio=importlib.import_module("pipecat.serializers.twilio"),
                plivo=importlib.import_module("pipecat.serializers.plivo"),
            )
    finally:
        sys.path.remove(str(_FOLDER))


class Bot:
    """A pipeline's end at one media socket: what it hears and what it says are pipecat's frames."""

    def __init__(self, pipecat: SimpleNamespace, serializer: Any, socket: Socket) -> None:
        self.serializer, self.socket = serializer, socket
        self._frames = pipecat.frames

    async def say(self, samples: Samples) -> None:
        """In frames of 40 ms, as its transports do."""
        for piece in np.split(samples, len(samples) // (_SPEAKS_AT // 25)):
            await self._send(self._frames.OutputAudioRawFrame(piece.tobytes(), _SPEAKS_AT, 1))

    async def is_interrupted(self) -> None:
        assert await self._send(self._frames.InterruptionFrame()) is not None

    async def ends(self) -> object:
        """What is sent on the socket at its end."""
        return await self._send(self._frames.EndFrame())

    async def frames(self) -> list[Any]:
        """Of all that has come so far."""
        come = [await self.serializer.deserialize(message) for message in self.socket.messages]
        return [frame for frame in come if frame is not None]

    async def heard(self) -> Samples:
        audio = [f.audio for f in await self.frames() if isinstance(f, self._frames.InputAudioRawFrame)]
        return np.frombuffer(b"".join(audio), "<i2")

    async def keys(self) -> list[str]:
        return [f.button.value for f in await self.frames() if isinstance(f, self._frames.InputDTMFFrame)]

    async def _send(self, frame: Any) -> str | bytes | None:
        message: str | bytes | None = await self.serializer.serialize(frame)
        if message is not None:
            assert isinstance(message, str)
            await self.socket.ws.send_str(message)
        return message


class SerializerPromises:
    """What an application of pipecat's does on a call, whoever carries it."""

    somebody: str

    def serializer(self, pipecat: SimpleNamespace, start: Any, lab: Lab, *, hangs_up: bool) -> Any:
        raise NotImplementedError

    def document(self, customer: Customer) -> tuple[str, str]:
        raise NotImplementedError

    async def place(self, lab: Lab, customer: Customer) -> str:
        raise NotImplementedError

    async def call(
        self, lab: Lab, customer: Customer, pipecat: SimpleNamespace, *moves: dict[str, object], hangs_up: bool = False
    ) -> tuple[str, Bot]:
        """The call's id, and the bot at its socket."""
        customer.documents["/answer"] = self.document(customer)
        await lab.script(self.somebody, *moves, {"do": "stay"})
        call_id = await self.place(lab, customer)
        socket = await customer.wait_for_socket()
        await customer.wait("the first sound", lambda: _told(socket, "media") > 0)
        start = next(m["start"] for m in map(json.loads, socket.messages) if m["event"] == "start")
        serializer = self.serializer(pipecat, start, lab, hangs_up=hangs_up)
        await serializer.setup(SimpleNamespace(audio_in_sample_rate=_RATE))
        return call_id, Bot(pipecat, serializer, socket)

    async def test_decode_what_the_callee_says(self, lab: Lab, customer: Customer, pipecat: SimpleNamespace) -> None:
        said = {"do": "say", "text": "hello there my friend"}
        _, bot = await self.call(lab, customer, pipecat, {"do": "wait", "ms": 300}, said)
        await customer.wait("two seconds of sound", lambda: _told(bot.socket, "media") >= 100)
        heard = await bot.heard()
        loud = loud_ms(heard, _RATE)
        # Its resampler holds a tenth of a second back.
        assert 1_800 <= len(heard) * 1_000 / _RATE <= _told(bot.socket, "media") * 20
        assert loud[0] >= 200
        assert len(loud) * 20 >= 500

    async def test_are_played_out_as_long_as_they_spoke_and_at_their_pitch(
        self, lab: Lab, customer: Customer, pipecat: SimpleNamespace
    ) -> None:
        call_id, bot = await self.call(lab, customer, pipecat)
        await bot.say(tone(440, 1.0, _SPEAKS_AT))
        before = _told(bot.socket, "media")
        await customer.wait("what follows it", lambda: _told(bot.socket, "media") >= before + 75)
        heard = await lab.heard(call_id)
        loud = loud_ms(heard)
        assert 940 <= len(loud) * 20 <= 1_020
        assert loud == list(range(loud[0], loud[-1] + 20, 20))
        assert loudest_hertz(heard[loud[0] * 8 : loud[-1] * 8]) == pytest.approx(440, abs=3)

    async def test_clear_what_was_not_played_when_they_are_interrupted(
        self, lab: Lab, customer: Customer, pipecat: SimpleNamespace
    ) -> None:
        call_id, bot = await self.call(lab, customer, pipecat)
        await bot.say(tone(440, 4.0, _SPEAKS_AT))
        before = _told(bot.socket, "media")
        await customer.wait("half a second", lambda: _told(bot.socket, "media") >= before + 25)
        await bot.is_interrupted()
        await customer.wait("what follows it", lambda: _told(bot.socket, "media") >= before + 75)
        assert 300 <= len(loud_ms(await lab.heard(call_id))) * 20 <= 700 + _LATENESS_MS
        await bot.say(tone(440, 0.4, _SPEAKS_AT))
        before = _told(bot.socket, "media")
        await customer.wait("what they said next", lambda: _told(bot.socket, "media") >= before + 50)
        assert loud_ms(await lab.heard(call_id))[-1] > loud_ms(await lab.heard(call_id))[0] + 700

    async def test_get_pressed_keys(self, lab: Lab, customer: Customer, pipecat: SimpleNamespace) -> None:
        _, bot = await self.call(lab, customer, pipecat, {"do": "wait", "ms": 300}, {"do": "press", "digits": "4*#"})
        await customer.wait("the keys", lambda: _told(bot.socket, "dtmf") == 3)
        assert await bot.keys() == ["4", "*", "#"]

    async def test_say_nothing_at_their_end_where_they_are_not_to_hang_up(
        self, lab: Lab, customer: Customer, pipecat: SimpleNamespace
    ) -> None:
        call_id, bot = await self.call(lab, customer, pipecat)
        assert await bot.ends() is None
        before = _told(bot.socket, "media")
        await customer.wait("more sound", lambda: _told(bot.socket, "media") >= before + 10)
        assert (await lab.get(f"/calls/{call_id}"))["state"] == "in_progress"


class TestTwiliosSerializer(SerializerPromises):
    somebody = twilio.SOMEBODY

    def serializer(self, pipecat: SimpleNamespace, start: Any, lab: Lab, *, hangs_up: bool) -> Any:
        kind = pipecat.twilio.TwilioFrameSerializer
        params = kind.InputParams(auto_hang_up=hangs_up)
        account = (start["callSid"], start["accountSid"], stock.TWILIO_TOKEN)
        return kind(start["streamSid"], *account, base_url=f"{lab.address}/twilio", params=params)

    def document(self, customer: Customer) -> tuple[str, str]:
        return twilio.stream_document(customer)

    async def place(self, lab: Lab, customer: Customer) -> str:
        return await twilio.place(lab, customer, self.somebody)

    # It logs in as aiohttp's makers would not any more.
    @pytest.mark.filterwarnings("ignore:.* is deprecated and will be removed in .*:DeprecationWarning")
    async def test_hangs_up_through_rest_at_its_end(
        self, lab: Lab, customer: Customer, pipecat: SimpleNamespace
    ) -> None:
        call_id, bot = await self.call(lab, customer, pipecat, hangs_up=True)
        assert await bot.ends() is None
        await customer.wait_for_webhook("/status", CallStatus="completed")
        await customer.wait("the stop", lambda: bot.socket.closed)
        assert _told(bot.socket, "stop") == 1
        assert (await lab.get(f"/calls/{call_id}"))["state"] == "ended"


class TestPlivosSerializer(SerializerPromises):
    """It hangs up at Plivo's own address and nowhere else; the box is asked in the same words by hand."""

    somebody = plivo.SOMEBODY

    def serializer(self, pipecat: SimpleNamespace, start: Any, lab: Lab, *, hangs_up: bool) -> Any:
        kind = pipecat.plivo.PlivoFrameSerializer
        params = kind.InputParams(auto_hang_up=hangs_up)
        return kind(start["streamId"], start["callId"], stock.PLIVO_ID, stock.PLIVO_TOKEN, params=params)

    def document(self, customer: Customer) -> tuple[str, str]:
        return plivo.stream_document(customer, "audio/x-mulaw;rate=8000")

    async def place(self, lab: Lab, customer: Customer) -> str:
        return await plivo.place(lab, customer, self.somebody)

    async def test_what_it_asks_at_its_end_hangs_up(
        self, lab: Lab, customer: Customer, pipecat: SimpleNamespace
    ) -> None:
        call_id, bot = await self.call(lab, customer, pipecat)
        login = base64.b64encode(f"{stock.PLIVO_ID}:{stock.PLIVO_TOKEN}".encode()).decode()
        asked = lab.http.delete(
            f"{lab.address}/plivo/v1/Account/{stock.PLIVO_ID}/Call/{call_id}/",
            headers={"Authorization": f"Basic {login}"},
        )
        async with asked as answer:
            assert answer.status == 204
        await customer.wait_for_webhook("/hangup", HangupCauseCode="4000")
        await customer.wait("the close", lambda: bot.socket.closed)


def _told(socket: Socket, event: str) -> int:
    return sum(json.loads(message)["event"] == event for message in socket.messages)

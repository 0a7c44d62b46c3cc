"""What every carrier's media language must keep; each carrier inherits the same promises.

Bytes are those of the carriers' own documentation. Both ends are also held against each other: what `carrierbox` says
we understand, and what we say it understands.
"""

import base64
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierbox.calls.carrier import Audio, ClearOrder, MarkOrder, PressOrder, Wire
from carrierbox.line.g711 import SILENCE
from carrierbox.plivo.stream import PlivoWire
from carrierbox.plivo.xml import StreamOptions
from carrierbox.twilio.stream import TwilioWire
from carrierbox.vonage.stream import VonageWire
from rymi_server.telephony.carriers.media import (
    BufferCleared,
    Encoding,
    Format,
    Heard,
    KeyPressed,
    MarkPlayed,
    MediaEvent,
    MediaWire,
    Message,
    Opened,
    Stopped,
    Unread,
)
from rymi_server.telephony.carriers.plivo.media import PlivoMedia
from rymi_server.telephony.carriers.twilio.media import TwilioMedia
from rymi_server.telephony.carriers.vonage.media import VonageMedia

TOKEN = "5f0c5f0c5f0c5f0c5f0c5f0c5f0c5f0c"
VOCABULARY = """
event media payload mark name start stop dtmf digit t timestamp streamSid streamId mediaFormat encoding sampleRate
extra_headers customParameters audio/x-l16 content-type playedStream websocket:dtmf websocket:notify websocket:connected
"""
words = st.sampled_from([*VOCABULARY.split(), "audio/l16;rate=16000"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), words)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=5)),
    max_leaves=12,
)


class MediaWirePromises:
    """A keeper says how its carrier begins, in the carrier's own words."""

    beginning: Message
    opened: Opened
    make: Callable[[], MediaWire]

    @pytest.fixture
    def wire(self) -> MediaWire:
        wire = type(self).make()
        assert wire.read(self.beginning) == self.opened
        return wire

    def carrier(self) -> Wire:
        """The other end, as carrierbox has it."""
        raise AssertionError("Each carrier has its own.")

    def test_understands_how_the_box_begins(self) -> None:
        wire = type(self).make()
        events = [wire.read(message) for message in self.carrier().opening()]
        assert [event for event in events if isinstance(event, Opened)] == [self.opened]

    def test_hears_a_frame_of_the_box(self, wire: MediaWire) -> None:
        (message,) = self.carrier().speech(3, SILENCE)
        event = wire.read(message)
        assert isinstance(event, Heard)
        assert len(event.audio) == self.opened.format.frame_bytes

    def test_hears_keys(self, wire: MediaWire) -> None:
        assert [wire.read(message) for message in self.carrier().key("#", 500)] == [KeyPressed("#")]

    def test_plays_what_the_box_plays(self, wire: MediaWire) -> None:
        other = self.carrier()
        frame = bytes(range(160)) * (self.opened.format.frame_bytes // 160)
        order = other.read(wire.play(frame))
        assert isinstance(order, Audio)
        assert len(order.sound) in (159, 160)

    def test_marks_come_back_by_name(self, wire: MediaWire) -> None:
        other = self.carrier()
        order = other.read(wire.mark("g3-12"))
        assert isinstance(order, MarkOrder)
        assert [wire.read(message) for message in other.played(order.name)] == [MarkPlayed("g3-12")]

    def test_clears(self, wire: MediaWire) -> None:
        other = self.carrier()
        assert isinstance(other.read(wire.clear()), ClearOrder)
        mark = other.read(wire.mark("g1-1"))
        assert isinstance(mark, MarkOrder)
        told = [wire.read(message) for message in other.cleared([mark.name])]
        assert told in ([MarkPlayed("g1-1")], [BufferCleared()])

    def test_a_pit_of_brackets_is_broken_and_no_more(self, wire: MediaWire) -> None:
        assert wire.read("[" * 50_000) == Unread("not a JSON object", broken=True)

    def test_a_number_of_many_digits_is_nothing(self, wire: MediaWire) -> None:
        assert isinstance(wire.read('{"event":"mark","mark":{"name":' + "9" * 5_000 + "}}"), Unread)

    def test_what_it_does_not_know_is_not_broken(self, wire: MediaWire) -> None:
        assert wire.read('{"event":"news"}') == Unread("an unknown event")


class TestWhatStrangersSend:
    """Anybody can reach a media socket: nothing that comes in may raise."""

    @given(
        st.sampled_from([TwilioMedia, PlivoMedia, VonageMedia]),
        st.one_of(st.binary(max_size=400), st.text(max_size=200), anything.map(json.dumps)),
    )
    def test_is_read_without_raising(self, make: Callable[[], MediaWire], message: Message) -> None:
        make().read(message)

    @given(
        st.sampled_from([TwilioMedia, PlivoMedia, VonageMedia]),
        anything,
        st.sampled_from(["media", "mark", "dtmf", "start", "stop", "playedStream", "notify", "connected"]),
    )
    def test_may_have_any_shape(self, make: Callable[[], MediaWire], inside: object, event: str) -> None:
        wire = make()
        rest = {"name": inside, "streamId": inside, "extra_headers": inside, "digit": inside, "content-type": inside}
        wire.read(json.dumps({"event": event, event: inside, **rest}))
        wire.read(json.dumps({"event": f"websocket:{event}", "payload": inside, **rest}))


def said(body: dict[str, object]) -> str:
    return json.dumps(body)


class TestTwilio(MediaWirePromises):
    make = TwilioMedia
    beginning = said(
        {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": "MZ1",
            "start": {
                "accountSid": "AC1",
                "streamSid": "MZ1",
                "callSid": "CA1",
                "tracks": ["inbound"],
                "customParameters": {"t": TOKEN},
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        }
    )
    opened = Opened(TOKEN, "CA1", "MZ1", Format(Encoding.MULAW, 8000))

    def carrier(self) -> Wire:
        return TwilioWire("MZ1", "CA1", "AC1", {"t": TOKEN})

    def test_reads_what_twilio_documents(self, wire: MediaWire) -> None:
        payload = base64.b64encode(b"\xff" * 160).decode()
        media = {"track": "inbound", "chunk": "2", "timestamp": "40", "payload": payload}
        events: list[MediaEvent] = [
            wire.read('{"event":"connected","protocol":"Call","version":"1.0.0"}'),
            wire.read(said({"event": "media", "sequenceNumber": "3", "streamSid": "MZ1", "media": media})),
            wire.read(said({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": "5"}})),
            wire.read(said({"event": "mark", "sequenceNumber": "12", "streamSid": "MZ1", "mark": {"name": "g3-end"}})),
            wire.read(said({"event": "stop", "streamSid": "MZ1", "stop": {"accountSid": "AC1", "callSid": "CA1"}})),
        ]
        assert events == [
            Unread("connected"),
            Heard(b"\xff" * 160, 40),
            KeyPressed("5"),
            MarkPlayed("g3-end"),
            Stopped(),
        ]

    def test_speaks_as_twilio_documents(self, wire: MediaWire) -> None:
        assert json.loads(wire.play(b"\xff\x7f")) == {
            "event": "media",
            "streamSid": "MZ1",
            "media": {"payload": "/38="},
        }
        assert json.loads(wire.mark("g3-1")) == {"event": "mark", "streamSid": "MZ1", "mark": {"name": "g3-1"}}
        assert json.loads(wire.clear()) == {"event": "clear", "streamSid": "MZ1"}
        assert wire.press("1") is None

    def test_our_own_audio_is_not_the_callers(self, wire: MediaWire) -> None:
        assert wire.read('{"event":"media","media":{"track":"outbound","payload":"/38="}}') == Unread(
            "audio of our own"
        )


class TestPlivo(MediaWirePromises):
    make = PlivoMedia
    beginning = said(
        {
            "event": "start",
            "sequenceNumber": 0,
            "start": {
                "callId": "c1",
                "streamId": "s1",
                "accountId": "MA1",
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-l16", "sampleRate": 16000},
            },
            "extra_headers": f"{{t={TOKEN}}}",
        }
    )
    opened = Opened(TOKEN, "c1", "s1", Format(Encoding.LINEAR, 16000))

    def carrier(self) -> Wire:
        options = StreamOptions(bidirectional=True, extra_headers=f"t={TOKEN}")
        return PlivoWire("s1", "c1", "MA1", "l16", 16000, options, 0)

    @pytest.mark.parametrize(
        "headers", [f"t={TOKEN}", f"{{a=1,t={TOKEN}}}", f"a=1;t={TOKEN}", f"{{a=1; t={TOKEN}}}", {"t": TOKEN}]
    )
    def test_finds_the_token_however_the_headers_are_written(self, headers: object) -> None:
        body = json.loads(self.beginning)
        body["extra_headers"] = headers
        assert PlivoMedia().read(json.dumps(body)) == self.opened

    def test_numbers_may_be_texts(self) -> None:
        body = json.loads(self.beginning)
        body["start"]["mediaFormat"]["sampleRate"] = "16000"
        body["start"]["streamId"] = 17
        assert PlivoMedia().read(json.dumps(body)) == Opened(TOKEN, "c1", "17", self.opened.format)

    def test_refuses_a_format_that_nobody_asked_for(self) -> None:
        body = json.loads(self.beginning)
        body["start"]["mediaFormat"] = {"encoding": "audio/x-mulaw", "sampleRate": 44100}
        assert isinstance(PlivoMedia().read(json.dumps(body)), Unread)

    def test_speaks_as_plivo_documents(self, wire: MediaWire) -> None:
        media = {"contentType": "audio/x-l16", "sampleRate": 16000, "payload": "AQI="}
        assert json.loads(wire.play(b"\x01\x02")) == {"event": "playAudio", "media": media}
        assert json.loads(wire.mark("g3-1")) == {"event": "checkpoint", "streamId": "s1", "name": "g3-1"}
        assert json.loads(wire.clear()) == {"event": "clearAudio", "streamId": "s1"}
        assert json.loads(wire.press("12#") or "") == {"event": "sendDTMF", "dtmf": "12#"}

    def test_the_box_presses_the_keys(self, wire: MediaWire) -> None:
        assert self.carrier().read(wire.press("12#") or "") == PressOrder("12#")


class TestVonage(MediaWirePromises):
    make = VonageMedia
    beginning = said({"event": "websocket:connected", "content-type": "audio/l16;rate=16000", "t": TOKEN})
    opened = Opened(TOKEN, None, None, Format(Encoding.LINEAR, 16000))

    def carrier(self) -> Wire:
        return VonageWire(16000, {"t": TOKEN})

    def test_reads_what_vonage_documents(self, wire: MediaWire) -> None:
        assert wire.read(b"\x01\x02" * 320) == Heard(b"\x01\x02" * 320)
        assert wire.read('{"event":"websocket:dtmf","digit":"5","duration":260}') == KeyPressed("5")
        assert wire.read('{"event":"websocket:dtmf","digit":5}') == KeyPressed("5")
        assert wire.read('{"event":"websocket:dtmf","dtmf":{"digit":"a"}}') == KeyPressed("A")
        assert wire.read('{"event":"websocket:cleared"}') == BufferCleared()
        assert wire.read('{"event":"websocket:notify","payload":{"mark":"g3-1"}}') == MarkPlayed("g3-1")

    def test_speaks_as_vonage_documents(self, wire: MediaWire) -> None:
        assert wire.play(bytes(640)) == bytes(640)
        assert json.loads(wire.mark("g3-1")) == {"action": "notify", "payload": {"mark": "g3-1"}}
        assert json.loads(wire.clear()) == {"action": "clear"}
        assert wire.press("1") is None

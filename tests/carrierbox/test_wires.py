"""What every carrier's media language must keep, whichever it is; each carrier inherits the same tests."""

import base64
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.carrierbox.sound import mulaw_tone, tone

from carrierbox.calls.carrier import (
    Audio,
    BadMessage,
    ClearOrder,
    Ignored,
    MarkOrder,
    Message,
    PressOrder,
    Wire,
)
from carrierbox.line import g711
from carrierbox.plivo.stream import PlivoWire
from carrierbox.plivo.xml import StreamOptions
from carrierbox.twilio.stream import TwilioWire
from carrierbox.vonage.stream import VonageWire

words = st.sampled_from(["event", "media", "payload", "mark", "name", "clear", "action", "notify", "streamSid", "MZ1"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8), words)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
    max_leaves=8,
)


class WirePromises:
    """A keeper gives the fixture `wire`, and says how its application would play, mark and clear."""

    def make(self) -> Wire:
        raise AssertionError("Each carrier makes its own.")

    def play(self) -> Message:
        raise AssertionError("Each carrier plays in its own way.")

    def mark(self) -> Message:
        raise AssertionError("Each carrier marks in its own way.")

    def clear(self) -> Message:
        raise AssertionError("Each carrier clears in its own way.")

    @pytest.fixture
    def wire(self) -> Wire:
        return self.make()

    def test_introduces_itself_with_an_event(self, wire: Wire) -> None:
        assert all("event" in json.loads(message) for message in wire.opening())

    def test_makes_one_message_of_every_frame(self, wire: Wire) -> None:
        sound = mulaw_tone(440, 1.0)
        messages = [wire.speech(n, sound[n * 160 : n * 160 + 160]) for n in range(50)]
        assert [len(each) for each in messages] == [1] * 50
        assert len({len(each[0]) for each in messages[10:40]}) <= 2

    def test_plays_what_it_is_told_to_at_the_lines_rate(self, wire: Wire) -> None:
        orders = [wire.read(self.play()) for _ in range(5)]
        assert [len(order.sound) for order in orders if isinstance(order, Audio)] == [160] * 5
        last = orders[-1]
        assert isinstance(last, Audio)
        assert np.abs(g711.decode(last.sound)).max() > 5000

    def test_reads_marks_and_clears_and_tells_when_a_mark_was_played(self, wire: Wire) -> None:
        order = wire.read(self.mark())
        assert isinstance(order, MarkOrder)
        (told,) = wire.played(order.name)
        assert "g1" in str(told)
        assert wire.read(self.clear()) == ClearOrder()


class TestTwilio(WirePromises):
    def make(self) -> Wire:
        return TwilioWire("MZ1", "CA1", "AC1", {})

    def play(self) -> Message:
        payload = base64.b64encode(mulaw_tone(440, 0.02)).decode()
        return json.dumps({"event": "media", "streamSid": "MZ1", "media": {"payload": payload}})

    def mark(self) -> Message:
        return json.dumps({"event": "mark", "streamSid": "MZ1", "mark": {"name": "g1"}})

    def clear(self) -> Message:
        return json.dumps({"event": "clear", "streamSid": "MZ1"})


class TestPlivo(WirePromises):
    rate = 16_000

    def make(self) -> Wire:
        return PlivoWire("s1", "c1", "MA1", "l16", self.rate, StreamOptions(True), 0)

    def play(self) -> Message:
        payload = base64.b64encode(tone(440, 0.02, self.rate).astype("<i2").tobytes()).decode()
        media = {"contentType": "audio/x-l16", "sampleRate": self.rate, "payload": payload}
        return json.dumps({"event": "playAudio", "media": media})

    def mark(self) -> Message:
        return json.dumps({"event": "checkpoint", "name": "g1"})

    def clear(self) -> Message:
        return json.dumps({"event": "clearAudio"})


class TestPlivoAt8Kilohertz(TestPlivo):
    rate = 8000


class TestVonage(WirePromises):
    rate = 16_000

    def make(self) -> Wire:
        return VonageWire(self.rate, {"t": "1"})

    def play(self) -> Message:
        return tone(440, 0.02, self.rate).astype("<i2").tobytes()

    def mark(self) -> Message:
        return json.dumps({"action": "notify", "payload": {"mark": "g1"}})

    def clear(self) -> Message:
        return json.dumps({"action": "clear"})


class TestVonageAt24Kilohertz(TestVonage):
    rate = 24_000


KEEPERS = st.sampled_from([TestTwilio, TestPlivo, TestPlivoAt8Kilohertz, TestVonage, TestVonageAt24Kilohertz])


def kind_of(keeper: type[WirePromises], message: Message) -> type:
    """What the carrier makes of the message: the kind of its order, or of its refusal. Anything else is raised."""
    try:
        return type(keeper().make().read(message))
    except BadMessage as error:
        return type(error)


class TestWhateverAnApplicationSays:
    @settings(deadline=None)
    @given(KEEPERS, anything)
    def test_is_an_order_or_is_refused(self, keeper: type[WirePromises], raw: object) -> None:
        assert kind_of(keeper, json.dumps(raw)) in {Audio, MarkOrder, ClearOrder, PressOrder, Ignored, BadMessage}

    @settings(deadline=None)
    @given(KEEPERS, st.one_of(st.text(max_size=50), st.binary(max_size=50)))
    def test_does_nothing_if_it_is_noise(self, keeper: type[WirePromises], noise: str | bytes) -> None:
        assert kind_of(keeper, noise) in {Ignored, BadMessage}

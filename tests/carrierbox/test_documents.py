"""Answer documents of the three carriers, as their own packages write them and as people get them wrong. Pure."""

import json

import pytest
from plivo import plivoxml
from twilio.twiml.voice_response import Connect as TwilioConnect
from twilio.twiml.voice_response import Dial as TwilioDial
from twilio.twiml.voice_response import VoiceResponse
from vonage_voice import Talk
from vonage_voice.models.connect_endpoints import PhoneEndpoint
from vonage_voice.models.ncco import Connect as VonageConnect

from carrierbox.calls.steps import (
    BadDocument,
    Connect,
    Dial,
    GoTo,
    HangUp,
    Pause,
    PlayUrl,
    PressKeys,
    Reject,
    Speak,
    Unknown,
)
from carrierbox.plivo.xml import read_plivo_xml
from carrierbox.twilio.twiml import StreamOptions, read_twiml
from carrierbox.vonage.ncco import parse_ncco

BASE = "https://voice.example.com/answer"
BOMB = b'<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><Response>&c;</Response>'


class TestTwiml:
    def test_of_twilios_own_package_is_understood(self) -> None:
        response = VoiceResponse()
        response.say("Hello  there", loop=2)
        response.play("/sound.wav")
        response.play(digits="1ww2")
        response.pause(length=3)
        response.record()
        dial = TwilioDial(caller_id="+12025550151", timeout=20)
        dial.number("+12025550100")
        response.append(dial)
        response.redirect("next", method="GET")
        response.hangup()
        assert read_twiml(str(response).encode(), BASE) == [
            Speak("Hello there"),
            Speak("Hello there"),
            PlayUrl("https://voice.example.com/sound.wav"),
            PressKeys("1ww2"),
            Pause(3),
            Unknown("Record"),
            Dial("+12025550100", "+12025550151", 20),
            GoTo("https://voice.example.com/next", "GET"),
            HangUp(),
        ]

    def test_connects_with_parameters(self) -> None:
        response, connect = VoiceResponse(), TwilioConnect()
        stream = connect.stream(url="wss://voice.example.com/media", name="s", status_callback="/stream")
        stream.parameter(name="t", value="5f0c")
        response.append(connect)
        options = StreamOptions("s", "https://voice.example.com/stream")
        wanted = Connect("wss://voice.example.com/media", metadata={"t": "5f0c"}, options=options)
        assert read_twiml(str(response).encode(), BASE) == [wanted]

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            (b"<Response><Say>Hello</Response>", "not well-formed"),
            (b"<Answer/>", "root is <Answer>"),
            (b"", "not well-formed"),
            (b"not xml at all", "not well-formed"),
            (BOMB, "entity declaration"),
            (b"<Response>" + b" " * 70_000 + b"</Response>", "at most 65536"),
            (b'<Response><Reject reason="rude"/></Response>', "busy or rejected"),
            (b'<Response><Connect><Stream url="http://x"/></Connect></Response>', "WebSocket address"),
            (b'<Response><Pause length="long"/></Response>', "whole number"),
            (b'<Response><Play digits="x"/></Response>', "no key"),
        ],
    )
    def test_that_is_wrong_is_refused_with_a_reason(self, body: bytes, why: str) -> None:
        with pytest.raises(BadDocument, match=why):
            read_twiml(body, BASE)

    def test_rejects_as_told(self) -> None:
        assert read_twiml(b"<Response><Reject/></Response>", BASE) == [Reject(busy=False)]
        assert read_twiml(b'<Response><Reject reason="busy"/></Response>', BASE) == [Reject(busy=True)]


class TestPlivoXml:
    def test_of_plivos_own_package_is_understood(self) -> None:
        response = plivoxml.ResponseElement()
        response.add(plivoxml.SpeakElement("Hello there"))
        response.add(plivoxml.PlayElement("https://voice.example.com/a.wav"))
        response.add(plivoxml.DTMFElement("12"))
        response.add(plivoxml.WaitElement(length=2))
        response.add(plivoxml.RecordElement(action="https://voice.example.com/r", record_session=True))
        response.add(plivoxml.DialElement(caller_id="12025550161").add(plivoxml.NumberElement("12025550100")))
        response.add(plivoxml.RedirectElement("https://voice.example.com/next"))
        response.add(plivoxml.HangupElement(reason="busy"))
        assert read_plivo_xml(response.to_string().encode()) == [
            Speak("Hello there"),
            PlayUrl("https://voice.example.com/a.wav"),
            PressKeys("12"),
            Pause(2),
            Unknown("Record"),
            Dial("12025550100", "12025550161", 60),
            GoTo("https://voice.example.com/next", "POST"),
            Reject(busy=True),
        ]

    @pytest.mark.parametrize(
        ("inside", "why"),
        [
            ("<Reject/>", "Plivo has no <Reject>"),
            ("<Stream>https://voice.example.com</Stream>", "WebSocket address"),
            (f"<Stream>wss://{'x' * 2048}</Stream>", "at most 2048"),
            ('<Stream bidirectional="true" audioTrack="both">wss://x</Stream>', "audioTrack inbound"),
            ('<Stream contentType="audio/mp3">wss://x</Stream>', "contentType"),
            ('<Stream bidirectional="yes">wss://x</Stream>', "true or false"),
            (f'<Stream extraHeaders="{"x" * 513}">wss://x</Stream>', "512 bytes"),
        ],
    )
    def test_that_is_wrong_is_refused_with_a_reason(self, inside: str, why: str) -> None:
        with pytest.raises(BadDocument, match=why):
            read_plivo_xml(f"<Response>{inside}</Response>".encode())

    @pytest.mark.parametrize("stays", [True, False])
    def test_stream_holds_the_call_only_if_told_to(self, stays: bool) -> None:
        body = f'<Response><Stream keepCallAlive="{str(stays).lower()}">wss://x</Stream></Response>'
        (step,) = read_plivo_xml(body.encode())
        assert isinstance(step, Connect)
        assert (step.stays, step.background) == (stays, not stays)


class TestAnNcco:
    def test_of_vonages_own_package_is_understood(self) -> None:
        actions = [
            Talk(text="Hello there"),
            VonageConnect(endpoint=[PhoneEndpoint(number="12025550100")], from_="12025550171", timeout=20),
        ]
        body = json.dumps([action.model_dump(by_alias=True, exclude_none=True) for action in actions])
        assert parse_ncco(body.encode()) == [Speak("Hello there"), Dial("12025550100", "12025550171", 20)]

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            ("{}", "not a list"),
            ("[", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ('[{"action": "dance"}]', "no action 'dance'"),
            ('["talk"]', "must be an object"),
            ('[{"action": "talk"}]', "talk.text must be text"),
            ('[{"action": "connect", "endpoint": []}]', "exactly one endpoint"),
            ('[{"action": "connect", "endpoint": [{"type": "websocket", "uri": "http://x"}]}]', "WebSocket address"),
            ('[{"action": "connect", "endpoint": [{"type": "pigeon"}]}]', "connects to no 'pigeon'"),
        ],
    )
    def test_that_is_wrong_is_refused_with_a_reason(self, raw: str, why: str) -> None:
        with pytest.raises(BadDocument, match=why):
            parse_ncco(raw.encode())

    def test_keeps_headers_small(self) -> None:
        endpoint = {"type": "websocket", "uri": "wss://x", "headers": {"t": "x" * 512}}
        with pytest.raises(BadDocument, match="512 bytes"):
            parse_ncco(json.dumps([{"action": "connect", "endpoint": [endpoint]}]).encode())

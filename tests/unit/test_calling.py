"""`rymi call`: what is printed of a call, and when it is the caller's turn."""

import io
import json
import sys
import time
import types
from typing import Any

import httpx
import pytest
from rich.console import Console

from rymi_server.entrypoints.calling.account import Account, CannotCall, Told, where_to_call
from rymi_server.entrypoints.calling.caller import Hearing
from rymi_server.entrypoints.calling.dialogue import booking, saying
from rymi_server.entrypoints.calling.sounds import Devices
from rymi_server.entrypoints.calling.telling import ForPeople, ForPrograms

CALL = {"id": "c-1", "status": "completed", "end_reason": "user_disconnect", "bill_duration": 30, "total_cost": 0.025}


def line(text: str, speaker: str = "user", identity: str | None = "you") -> Told:
    return Told("transcript", {"text": text, "speaker": speaker, "identity": identity})


def shown(*happened: Told, result: dict[str, Any] | None = None, recording: dict[str, Any] | None = None) -> str:
    out = io.StringIO()
    telling = ForPeople("you", Console(file=out, width=200))
    telling.begin({"id": "c-1"}, "Mia, receptionist")
    for each in happened:
        telling.happened(each)
    if result:
        telling.result(result, recording)
    return out.getvalue()


class TestWhatPeopleSee:
    def test_is_who_said_what(self) -> None:
        text = shown(line("Hello", "agent", None), line("Hi"), line("Me too", identity="bob"))
        assert "         Mia  Hello\n         You  Hi\n         bob  Me too\n" in text

    def test_is_what_matters_of_the_log(self) -> None:
        quiet = {"level": "info", "source": "lifecycle", "message": "Call created"}
        loud = {"level": "warning", "source": "livekit", "message": "The agent left the room"}
        text = shown(Told("event", quiet), Told("event", loud), Told("agent_state", {"state": "thinking"}))
        assert "Call created" not in text
        assert "  · The agent left the room\n" in text

    def test_is_the_end_with_bill_summary_and_recording(self) -> None:
        found = {"summary": "They booked.", "sentiment": "positive", "errors": [{"message": "no rubric"}]}
        recording = {"metadata": {"stereo_mix": {"signed_url": "http://here/rec.wav"}}}
        text = shown(result={**CALL, "intelligence": found}, recording=recording)
        for part in ("Completed: user disconnect.", "Bill: 30 s, 0.0250 USD.", "They booked.", "no rubric", "rec.wav"):
            assert part in text

    def test_is_plain_when_nothing_came_of_it(self) -> None:
        text = shown(result={**CALL, "status": "failed", "end_reason": "nobody_joined", "bill_duration": None})
        assert "Failed: nobody joined." in text
        assert "Bill" not in text


class TestWhatProgramsSee:
    def test_is_what_the_api_said(self, capsys: pytest.CaptureFixture[str]) -> None:
        telling = ForPrograms()
        telling.begin({"id": "c-1"}, "Mia")
        telling.happened(line("Hällo"))
        telling.result(CALL, None)
        told = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
        assert [each["event"] for each in told] == ["call", "transcript", "result"]
        assert told[1]["text"] == "Hällo"


class TestHearing:
    def test_knows_since_when_it_is_quiet(self) -> None:
        hearing = Hearing()
        assert hearing.quiet_seconds == float("inf")
        hearing.take(bytes(960))
        assert hearing.loud_at is None
        hearing.take(b"\x00\x40" * 480)
        assert hearing.loud_at is not None
        assert time.monotonic() - hearing.loud_at < 5


class SoundCard(types.ModuleType):
    """In place of sounddevice: a microphone that hears what it is told, and a loudspeaker that keeps what it plays."""

    class PortAudioError(Exception):
        pass

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__("sounddevice")
        self.broken = broken
        self.opened: dict[str, Any] = {}
        self.closed = False

    def RawStream(self, **shape: Any) -> "SoundCard":  # noqa: N802 - The package's own name.
        if self.broken:
            raise self.PortAudioError("Error querying device -1")
        self.opened = shape
        return self

    def start(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def exchange(self, recorded: bytes) -> bytes:
        played = bytearray(len(recorded))
        self.opened["callback"](recorded, memoryview(played), len(recorded) // 2, None, None)
        return bytes(played)


class TestAMicrophone:
    def test_and_the_loudspeaker_exchange_frames_of_twenty_milliseconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        card = SoundCard()
        monkeypatch.setitem(sys.modules, "sounddevice", card)
        devices = Devices()
        assert (card.opened["samplerate"], card.opened["channels"], card.opened["blocksize"]) == (24_000, 1, 480)
        assert devices.frame() == bytes(960)
        devices.play(b"\1" * 960)
        assert card.exchange(b"\2" * 960) == b"\1" * 960
        assert card.exchange(b"\3" * 960) == bytes(960)
        assert [devices.frame(), devices.frame()] == [b"\2" * 960, b"\3" * 960]
        devices.close()
        assert card.closed

    def test_that_cannot_be_opened_is_said_to_be_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "sounddevice", SoundCard(broken=True))
        with pytest.raises(CannotCall, match=r"No microphone.*querying device.*--say"):
            Devices()


class TestTheDialogue:
    def test_says_the_lines_that_were_given(self) -> None:
        line = saying(["one", "two"])
        assert [line("whatever"), line("is asked"), line("now")] == ["one", "two", None]

    def test_answers_what_is_asked_last_and_again_if_it_is_asked_again(self) -> None:
        line = booking()
        assert line("Hello. Would you like to book an appointment?") == "Yes please."
        for _ in range(2):
            assert line("Sorry, I did not get that. Which day suits you?") == "On Friday."
        assert line("All right, for Anna. And at what time?") == "At three o'clock."
        assert line("May I have your name? So that is a cleaning. Is that right?") == "Yes, that is right."
        assert line("Goodbye!") is None

    def test_comes_to_an_end_with_an_agent_that_never_understands(self) -> None:
        line = booking()
        assert [line("Which day?") for _ in range(15)][-1] is None


def account(*answers: httpx.Response | httpx.TransportError) -> Account:
    left = list(answers)

    def answer(_: httpx.Request) -> httpx.Response:
        given = left.pop(0)
        if isinstance(given, httpx.TransportError):
            raise given
        return given

    return Account(
        httpx.AsyncClient(base_url="http://api.test", transport=httpx.MockTransport(answer)), "/somewhere/data"
    )


class TestTheAccount:
    async def test_takes_a_stream_up_again_after_an_interruption(self) -> None:
        first = 'retry: 1000\n\nid: 1-0\nevent: transcript\ndata: {"text": "one"}\n\n: keep-alive\n\n'
        second = 'id: 1-1\nevent: transcript\ndata: {"text": "two"}\n\nid: 1-1-end\nevent: end\ndata: {}\n\n'
        here = account(httpx.Response(200, text=first), httpx.ConnectError("gone"), httpx.Response(200, text=second))
        told = [each async for each in here.stream("c-1")]
        assert [(each.kind, each.data.get("text")) for each in told] == [
            ("transcript", "one"),
            ("transcript", "two"),
            ("end", None),
        ]

    async def test_repeats_what_the_api_refused(self) -> None:
        refused = httpx.Response(402, json={"error": "No credit.", "code": "insufficient_credits"})
        with pytest.raises(CannotCall, match=r"No credit\. \(insufficient_credits\)"):
            await account(refused).create_call("a-1", [])

    async def test_says_whose_key_was_refused(self) -> None:
        """Another `rymi up` than the one of this folder may run at this port."""
        refused = httpx.Response(401, json={"error": "This API key is not valid.", "code": "invalid_api_key"})
        with pytest.raises(CannotCall, match=r"not valid.*that of /somewhere/data.*another Rymi"):
            await account(refused).agent(None)

    async def test_says_that_nobody_answers(self) -> None:
        with pytest.raises(CannotCall, match=r"is `rymi up` running"):
            await account(httpx.ConnectError("refused")).agent(None)

    async def test_finds_an_agent_by_a_part_of_its_name(self) -> None:
        agents = {"agents": [{"id": "1", "name": "Aria"}, {"id": "2", "name": "Mia, receptionist"}]}
        assert (await account(httpx.Response(200, json=agents)).agent("mia"))["id"] == "2"

    def test_is_the_one_that_is_named(self) -> None:
        named = {"RYMI_BASE_URL": "https://rymi.example/", "RYMI_API_KEY": "rymi_1"}
        assert where_to_call(named) == ("https://rymi.example", "rymi_1", "RYMI_API_KEY")

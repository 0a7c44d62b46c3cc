"""`rymi replay`: a recorded call through another turn detector."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from tests.support.after_calls import ended_call, recorded, settings_with, sound
from tests.support.asking import CLOCK, NOBODY, SECRET, client_for, new_customer

from rymi_server.calls import turns
from rymi_server.entrypoints.cli import app
from rymi_server.entrypoints.outcome import outcome
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId
from rymi_server.recordings import store as recordings
from rymi_server.recordings.models import RecordingStatus

TURN = {
    "turn": 1,
    "participant_id": None,
    "mode": "balanced",
    "engine": "webrtc",
    "fallback": False,
    "started_at_ms": 1_000,
    "speech_ended_at_ms": 2_000,
    "decided_at_ms": 2_650,
    "end_reason": "silence",
    "answer_pushed_at_ms": None,
    "answer_heard_at_ms": None,
    "interrupted_at_ms": None,
    "silent_at_ms": None,
    "parts": {},
    "trace": {},
}


async def a_recorded_call(database_url: str, folder: Path, *, with_recording: bool = True) -> str:
    database = Database(database_url)
    async with client_for(database) as http:
        acme = await new_customer(database, http)
        call_id = await ended_call(database, acme, ())
        if with_recording:
            content = sound(5, people=[(1.0, 2.0)])
            key = await recorded(database, folder, acme, call_id, content)
            async with database.transaction() as tx:
                about = {"stereo_mix": {"key": key}}
                await recordings.put(tx, CallId(call_id), RecordingStatus.READY, about, CLOCK.now())
                await turns.add(tx, CallId(call_id), "1", [TURN])
    await database.close()
    return call_id


@pytest.fixture
def installed(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("RYMI_SECRET", SECRET)
    monkeypatch.setenv("RYMI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STORAGE_URL", settings_with(Database(database_url), tmp_path).storage_url)
    monkeypatch.setenv("COLUMNS", "120")
    return database_url


def replayed(call_id: str, capsys: pytest.CaptureFixture[str], mode: str = "steady") -> str:
    with contextlib.suppress(SystemExit):
        outcome(lambda: app(args=["replay", call_id, "--turn-detector", mode]))
    said = capsys.readouterr()
    return said.out + said.err


class TestReplay:
    def test_shows_what_would_have_changed(
        self, installed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_id = asyncio.run(a_recorded_call(installed, tmp_path))
        said = replayed(call_id, capsys)
        assert "with steady (rms)" in said
        assert "650 ms" in said
        assert "The middle answer would have begun" in said

    def test_says_why_it_cannot(self, installed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        call_id = asyncio.run(a_recorded_call(installed, tmp_path, with_recording=False))
        assert "it has no recording" in replayed(call_id, capsys)
        assert "there is no such call" in replayed(NOBODY, capsys)
        assert "there is no such call" in replayed("nonsense", capsys)

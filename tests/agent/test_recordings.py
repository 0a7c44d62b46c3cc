"""What is recorded of a call: with consent, everything, and after a death."""

import asyncio
import json
import os
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from tests.agent.api import TOKEN, InternalApi
from tests.agent.holding import PLAYBOOK, briefing, held_call
from tests.agent.patience import eventually
from tests.agent.scripted import ScriptedEar
from tests.agent.voices import spoken
from tests.roomlet.waiting import stays

from rymi_server.foundation.object_storage import ObjectStorage, open_storage
from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.recording.handing_in import Clearing, Storing
from rymi_server.runtime.recording.shelf import HeldPiece, Shelf
from rymi_server.runtime.recording.tape import Tape
from rymi_server.runtime.reporting.journal import SUFFIX, Address, Journal
from rymi_server.runtime.reports import Happened, Line, Numbered, Said, SegmentRecorded

ADDRESS = Address("http://127.0.0.1:9", "call1", TOKEN, "run1")


def samples_of(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, file.getnchannels())


@pytest.fixture
def storage(tmp_path: Path) -> ObjectStorage:
    return open_storage((tmp_path / "storage").as_uri())


@pytest.fixture
def new_tape(tmp_path: Path, storage: ObjectStorage) -> Callable[[Briefing], Tape]:
    shelf = Shelf(tmp_path / "agent")
    return lambda told: Tape(
        lambda started: shelf.piece(ADDRESS, told.tenant_id, started), Storing(storage), keeps_tracks=False
    )


def asks() -> Briefing:
    agent: dict[str, Any] = {
        "playbook": PLAYBOOK,
        "advanced": {"turnDetectorMode": "balanced"},
        "features": {"require_consent": True},
    }
    return briefing(agent=agent)


class TestTheLastWords:
    async def test_are_told_before_the_recording_is_handed_in(self, tmp_path: Path, new_tape: Any) -> None:
        async with held_call(tmp_path, ScriptedEar(["Tell me a story."]), tape=new_tape) as call:
            call.room.enter("alice")
            await call.said("agent: Hello there.")
            call.room.say("alice", spoken("Tell me a story"))
            await call.said("alice: Tell me a story.")
            await call.agent_heard(time.monotonic())
            # Long enough for some of it to be heard as an answer.
            await stays("alice is told a story", lambda: not call.lines[-1].startswith("agent"), 1.0)
            call.room.leave("alice")
            await call.ends()
        kept = [each.kind for each in call.reports if each.kind in ("said", "all_said", "segment_recorded")]
        assert call.lines[-1].startswith("agent: Once upon a time")
        assert kept == ["said", "said", "said", "all_said", "segment_recorded"]


class TestConsent:
    async def test_comes_before_the_first_sound_is_kept(self, tmp_path: Path, new_tape: Any) -> None:
        async with held_call(tmp_path, ScriptedEar(["Yes, sure."]), asks(), new_tape) as call:
            call.room.enter("alice")
            await call.said("may I record this call")
            assert not list((tmp_path / "agent").glob("*.wav"))
            call.room.say("alice", spoken("Yes sure"))
            await call.said("agent: Hello there.")
            call.room.leave("alice")
            await call.ends()
        recorded = call.of(SegmentRecorded)[0]
        assert recorded.started_at_ms > 2_000
        both = samples_of(tmp_path / "storage" / recorded.key)
        assert np.abs(both[:, 1]).max() > 1_000

    async def test_is_asked_for_once_more_where_no_word_was_clear(self, tmp_path: Path, new_tape: Any) -> None:
        ear = ScriptedEar(["Hum hum hum hum"] * 2, drafts=True, unsure_of=(0, 1))
        async with held_call(tmp_path, ear, asks(), new_tape) as call:
            call.room.enter("alice")
            await call.said("may I record this call")
            for answer in ("agent: Sorry, may I record this call?", "agent: That is fine, I am not recording you."):
                call.room.say("alice", spoken("Hum hum hum hum"))
                await call.said(answer)
            call.room.leave("alice")
            await call.ends()
        assert not call.of(SegmentRecorded)

    async def test_that_is_not_given_leaves_no_recording(self, tmp_path: Path, new_tape: Any) -> None:
        async with held_call(tmp_path, ScriptedEar(["No, I do not want that."]), asks(), new_tape) as call:
            call.room.enter("alice")
            await call.said("may I record this call")
            call.room.say("alice", spoken("No I do not want that"))
            await call.said("agent: That is fine, I am not recording you.")
            await call.said("agent: Hello there.")
            call.room.leave("alice")
            await call.ends()
        assert not call.of(SegmentRecorded)
        assert not (tmp_path / "agent").exists()

    async def test_is_asked_of_who_joins_later_and_left_out_is_who_does_not_give_it(
        self, tmp_path: Path, new_tape: Any
    ) -> None:
        heard = ScriptedEar(["Yes, sure.", "No, I do not want that.", "When are you open?", "Where are you?"])
        async with held_call(tmp_path, heard, asks(), new_tape) as call:
            call.room.enter("alice")
            await call.said("may I record this call")
            call.room.say("alice", spoken("Yes sure"))
            await call.said("agent: Hello there.")
            call.room.enter("bob")
            await call.said("agent: Hello bob. May I record you in this call?")
            call.room.say("bob", spoken("No I do not want that", "rms"))
            await call.said("agent: That is fine, I am not recording you.")
            call.room.say("bob", spoken("When are you open", "rms"))
            await call.said("agent: We are open from nine to five.")
            call.room.leave("bob")
            call.room.enter("bob")
            call.room.say("alice", spoken("Where are you"))
            await call.said("agent: We are in the old town.")
            assert len([line for line in call.lines if "ay I record" in line]) == 2
            call.room.leave("bob")
            call.room.leave("alice")
            await call.ends()
        agreed = [each.message for each in call.of(Happened) if "agreed to" in each.message]
        assert agreed == ["Recording was agreed to by alice.", "Recording was not agreed to by bob."]
        recorded = call.of(SegmentRecorded)[0]
        people = samples_of(tmp_path / "storage" / recorded.key)[:, 0]

        def loudest(who: str, word: str) -> int:
            line = next(each.line for each in call.of(Said) if each.line.identity == who and word in each.line.text)
            began, ended = (at - recorded.started_at_ms for at in (line.started_at_ms, line.ended_at_ms))
            return int(np.abs(people[began * 16 : ended * 16]).max())

        assert loudest("alice", "Where") > 1_000
        assert loudest("bob", "open") < 50

    async def test_is_asked_of_the_next_where_who_was_asked_has_left(self, tmp_path: Path, new_tape: Any) -> None:
        async with held_call(tmp_path, ScriptedEar(["Yes, sure."]), asks(), new_tape) as call:
            call.room.enter("alice")
            call.room.enter("bob")
            await call.said("may I record this call")
            call.room.leave("alice")
            await eventually(
                "bob is asked", lambda: len([line for line in call.lines if "may I record this call" in line]) == 2
            )
            call.room.say("bob", spoken("Yes sure", "rms"))
            await call.said("agent: Hello there.")
            assert [each.message for each in call.of(Happened)] == ["Recording was agreed to by bob."]

    async def test_is_not_asked_for_again_by_who_comes_after_a_dead_agent(self, tmp_path: Path, new_tape: Any) -> None:
        lines = tuple(
            Line(speaker=speaker, identity=who, text=text, started_at_ms=at * 1_000, ended_at_ms=at * 1_000 + 900)
            for at, (speaker, who, text) in enumerate(
                [
                    ("agent", None, "Before we start: may I record this call? Please say yes or no."),
                    ("user", "alice", "No thank you."),
                    ("agent", None, "That is fine, I am not recording you."),
                ]
            )
        )
        since = datetime.now(UTC) - timedelta(seconds=10)
        told = asks().model_copy(update={"said": lines, "clock_started_at": since})
        async with held_call(tmp_path, ScriptedEar([]), told, new_tape) as call:
            call.room.enter("alice")
            await call.said("agent: Sorry, I was gone for a moment.")
            await stays("nobody is asked", lambda: not any("ay I record" in line for line in call.lines), 1.0)
            call.room.leave("alice")
            await call.ends()
        assert not call.of(SegmentRecorded)


class TestADiskThatTakesNothing:
    @pytest.fixture(autouse=True)
    def no_folder(self, tmp_path: Path) -> None:
        (tmp_path / "agent").write_bytes(b"a file where the folder should be")

    WHY = "The call is not recorded: the agent's disk does not take it."

    async def test_costs_the_recording_and_nothing_else(self, tmp_path: Path, new_tape: Any) -> None:
        async with held_call(tmp_path, ScriptedEar(["Where are you?"]), tape=new_tape) as call:
            call.room.enter("alice")
            await call.said("agent: Hello there.")
            call.room.enter("bob")
            call.room.say("alice", spoken("Where are you"))
            await call.said("agent: We are in the old town.")
            call.room.leave("alice")
            call.room.leave("bob")
            assert await call.ends() == "everyone_left"
        assert [(each.level, each.message) for each in call.of(Happened)] == [("error", self.WHY)]
        assert not call.of(SegmentRecorded)

    async def test_leaves_nobody_who_agreed_without_an_answer(self, tmp_path: Path, new_tape: Any) -> None:
        async with held_call(tmp_path, ScriptedEar(["Yes, sure."]), asks(), new_tape) as call:
            call.room.enter("alice")
            await call.said("may I record this call")
            call.room.say("alice", spoken("Yes sure"))
            await call.said("agent: Hello there.", 15)
        assert self.WHY in [each.message for each in call.of(Happened)]


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from rymi_server.runtime.recording.recorder import Recorder, TICK
from rymi_server.runtime.recording.growing_wav import WavWriter
from rymi_server.runtime.recording.shelf import HeldPiece, Shelf
from rymi_server.runtime.reporting.journal import Address, Journal
from rymi_server.runtime.reports import Line, Numbered, Said

folder, api, token = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
address = Address(api, "call1", token, "run1")
held = HeldPiece(Shelf(folder).piece(address, "tenant1", 1500))
recorder = Recorder(held.piece.path, time.monotonic(), WavWriter())
said = Said(line=Line(speaker="agent", text="kept", started_at_ms=1, ended_at_ms=2), segment_id="s")
Journal(folder / "call1.run1.77.reports.jsonl", address).append([Numbered(sequence=0, report=said)])
while True:
    tone = (np.sin(np.arange(TICK) / 5) * 8_000).astype(np.int16)
    for _ in range(recorder.ticks_due(time.monotonic())):
        recorder.person("alice", time.monotonic(), tone)
        recorder.tick()
    print("ticked", flush=True)
    time.sleep(0.02)
"""


class TestAKilledProcess:
    async def test_leaves_what_the_next_one_hands_in_and_tells(self, tmp_path: Path, storage: ObjectStorage) -> None:
        api = InternalApi()
        await api.start()
        folder = tmp_path / "agent"
        command = [sys.executable, "-c", KILLED, str(folder), api.url, TOKEN]
        process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        piece = folder / "call1.run1-1500.wav"
        await eventually("it has recorded", lambda: piece.exists() and piece.stat().st_size > 100_000, 20)
        async with aiohttp.ClientSession() as http:
            clearing = Clearing(Shelf(folder), Storing(storage), http)
            await clearing()
            assert piece.exists(), "a piece whose writer lives is left alone"
            assert not api.reports
            process.kill()
            await process.wait()
            await clearing()
            await clearing()
        recorded = api.of(SegmentRecorded)
        assert len(recorded) == 1
        assert recorded[0].started_at_ms == 1_500
        assert recorded[0].duration_ms > 1_000
        assert len(samples_of(tmp_path / "storage" / recorded[0].key)) == recorded[0].duration_ms * 16
        assert api.lines == ["agent: kept"]
        assert not list(folder.iterdir())
        await api.stop()

    async def test_is_cleared_away_only_once_the_api_knows(self, tmp_path: Path, storage: ObjectStorage) -> None:
        api = InternalApi(answers=503)
        await api.start()
        folder = tmp_path / "agent"
        held = HeldPiece(Shelf(folder).piece(Address(api.url, "call1", TOKEN, "run1"), "tenant1", 0))
        with wave.open(str(held.piece.path), "wb") as file:
            file.setparams((2, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(64_000))
        os.close(held._slip)
        async with aiohttp.ClientSession() as http:
            clearing = Clearing(Shelf(folder), Storing(storage), http)
            await clearing()
            assert held.piece.path.exists()
            api.answers = 200
            await clearing()
        assert len(api.of(SegmentRecorded)) == 1
        assert not list(folder.iterdir())
        await api.stop()

    async def test_leaves_no_riddle_in_a_torn_slip_or_journal(self, tmp_path: Path, storage: ObjectStorage) -> None:
        folder = tmp_path / "agent"
        folder.mkdir()
        (folder / "call1.run1-0.slip.json").write_text('{"path": "call')
        (folder / f"call1.run1.1{SUFFIX}").write_text(json.dumps({"api_url": "x"})[:-3])
        async with aiohttp.ClientSession() as http:
            await Clearing(Shelf(folder), Storing(storage), http)()
        said = Said(line=Line(speaker="agent", text="a", started_at_ms=1, ended_at_ms=2), segment_id="s")
        journal = Journal(folder / "other", ADDRESS)
        journal.append([Numbered(sequence=0, report=said)])
        journal.let_go()
        with (folder / "other").open("a") as file:
            file.write('{"sequence": 1, "rep')
        left = Journal.left_at(folder / "other")
        assert (left.waiting, [each.sequence for each in left.head(10)]) == (1, [0])
        left.let_go()


class TestAPiece:
    def test_that_a_full_disk_does_not_take_leaves_nothing(self, tmp_path: Path) -> None:
        piece = Shelf(tmp_path).piece(ADDRESS, "tenant1", 0)
        piece.slip_path.symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space left"):
            HeldPiece(piece)
        assert not list(tmp_path.iterdir())

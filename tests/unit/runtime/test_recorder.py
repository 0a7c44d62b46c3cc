"""What lies in a recording, sample by sample."""

import os
import wave
from pathlib import Path

import numpy as np
import pytest
from benchmarks.recording import HourOfPips
from numpy.typing import NDArray

from rymi_server.recordings.wav import repair
from rymi_server.runtime.recording.growing_wav import WavWriter
from rymi_server.runtime.recording.recorder import RATE, STEREO, TICK, Recorder
from rymi_server.runtime.speaking.player import BLOCK_BYTES
from rymi_server.runtime.speaking.player import RATE as AGENT_RATE

ZERO = 100.0


def tone(samples: int, rate: int, hertz: float = 440.0, start: int = 0) -> NDArray[np.int16]:
    return (np.sin(2 * np.pi * hertz * (start + np.arange(samples)) / rate) * 9_000).astype(np.int16)


class Recording:
    def __init__(self, folder: Path, keeps_tracks: bool = False) -> None:
        self.path = folder / "call.wav"
        self.writer = WavWriter()
        self.recorder = Recorder(self.path, ZERO, self.writer, keeps_tracks)

    def people(self, samples: NDArray[np.int16]) -> None:
        for at in range(0, len(samples), TICK):
            self.recorder.person("alice", ZERO + (at + TICK) / RATE, samples[at : at + TICK])
            self.recorder.tick()

    def agent(self, at: float, seconds: float) -> None:
        sound = tone(int(seconds * AGENT_RATE), AGENT_RATE).tobytes()
        for number in range(len(sound) // BLOCK_BYTES):
            block = sound[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]
            # As the loop would have it: now a little early, now a little late.
            self.recorder.agent(ZERO + at + number * 0.02 + (0.004 if number % 2 else -0.003), block)

    def written(self) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        self.recorder.finish()
        assert self.writer.close()
        with wave.open(str(self.path)) as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 2, 2)
            both = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
        return both[:, 0], both[:, 1]


class TestARecording:
    def test_has_people_on_the_left_and_the_agent_on_the_right(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path)
        recording.agent(0.5, 1.0)
        recording.people(tone(RATE * 2, RATE))
        left, right = recording.written()
        assert (left == tone(RATE * 2, RATE)).all()
        loud = np.flatnonzero(np.abs(right) > 1_000)
        assert loud[0] / RATE == pytest.approx(0.5, abs=0.01)
        assert loud[-1] / RATE == pytest.approx(1.5, abs=0.01)
        # One sound without seams: no jump is greater than the tone's own.
        inner = right[loud[0] + 100 : loud[-1] - 100].astype(int)
        assert np.abs(np.diff(inner)).max() < 9_000 * 2 * np.pi * 440 / RATE * 1.1

    def test_puts_sound_that_came_late_where_it_belongs_and_mixes_two_people(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path)
        sound = tone(RATE // 2, RATE)
        for _ in range(40):
            recording.recorder.tick()
        recording.recorder.person("alice", ZERO + 0.8, sound)
        recording.recorder.person("bob", ZERO + 0.8, sound)
        left, _ = recording.written()
        assert (left[int(0.3 * RATE) : int(0.8 * RATE)] == sound * 2).all()
        assert not left[: int(0.3 * RATE)].any()

    def test_leaves_out_what_was_cut(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path)
        recording.agent(0.2, 0.3)
        recording.recorder.cut(ZERO + 0.4)
        recording.people(np.zeros(RATE, np.int16))
        _, right = recording.written()
        # But for the 1.4 ms in which a filter rings.
        assert np.abs(right[int(0.4014 * RATE) :]).max() == 0
        assert np.abs(right[int(0.25 * RATE) : int(0.39 * RATE)]).max() > 1_000

    def test_is_as_long_as_the_call_whatever_the_agent_says(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path)
        recording.people(np.zeros(RATE * 3, np.int16))
        recording.agent(2.9, 1.0)
        left, _ = recording.written()
        assert len(left) == RATE * 3

    def test_keeps_everybodys_track_in_step(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path, keeps_tracks=True)
        for tick in range(100):
            speaks = 40 <= tick < 60 or tick >= 80
            if speaks:
                recording.recorder.person("alice", ZERO + (tick + 1) * 0.02, tone(TICK, RATE, start=tick * TICK))
            recording.recorder.tick()
        recording.written()
        track = recording.recorder.track_paths()["alice"]
        with wave.open(str(track)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        assert len(samples) == TICK * 100
        assert np.abs(samples[: 40 * TICK]).max() == 0
        assert np.abs(samples[60 * TICK : 80 * TICK]).max() == 0
        assert (samples[40 * TICK : 60 * TICK] == tone(20 * TICK, RATE, start=40 * TICK)).all()

    def test_has_an_outline(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path)
        recording.agent(0.22, 0.16)
        recording.people(np.zeros(RATE, np.int16))
        recording.written()
        outline = recording.recorder.peaks.outline()
        assert outline["ms_per_point"] == 100
        assert outline["channels"]["people"] == [0] * 10
        assert [peak > 20 for peak in outline["channels"]["agent"]] == [2 <= at < 4 for at in range(10)]

    def test_can_be_repaired_wherever_its_writer_was_killed(self, tmp_path: Path) -> None:
        recording = Recording(tmp_path)
        recording.people(tone(RATE * 2, RATE))
        assert recording.writer.close()
        torn = recording.path.read_bytes()[:-3]
        recording.path.write_bytes(torn)
        wav = repair(recording.path)
        assert 1_300 <= wav.duration_ms <= 1_400
        with wave.open(str(recording.path)) as file:
            assert file.getnframes() == wav.frames

    @pytest.mark.parametrize("skew", [-100e-6, 0.0, 100e-6])
    def test_does_not_drift(self, skew: float) -> None:
        found = HourOfPips(minutes=6, skew=skew, loses_every_s=40).record()
        assert len(found) == 2 * 35
        assert max(map(abs, found)) <= 0.020


class TestADiskThatFails:
    def test_is_told_of_and_ends_no_call(self, tmp_path: Path) -> None:
        writer = WavWriter()
        recorder = Recorder(tmp_path / "no such folder" / "call.wav", ZERO, writer)
        for _ in range(100):
            recorder.tick()
        recorder.finish()
        assert not writer.close()
        assert writer.lost_writes
        assert os.listdir(tmp_path) == []

    def test_is_tried_again_without_keeping_a_file_open_for_each_try(self) -> None:
        writer = WavWriter()
        for _ in range(5):
            writer.write(Path("/dev/full"), STEREO, 0, b"four")
        assert not writer.close()
        assert writer.lost_writes == 5
        assert not [each for each in Path("/proc/self/fd").iterdir() if os.path.realpath(each) == "/dev/full"]

"""WAV files: read, repaired, deposited, whatever a killed writer left of them."""

import os
import struct
import wave
from pathlib import Path

import pytest

from rymi_server.foundation.object_storage import open_storage
from rymi_server.foundation.object_storage.promises import StorageUnavailable
from rymi_server.recordings.deposit import deposit, segment_key
from rymi_server.recordings.wav import NotAWav, Wav, header, read_wav, repair

RATE = 16_000
SECOND = os.urandom(RATE * 4)


def torn(path: Path, *, says: int, holds: bytes = SECOND) -> Path:
    """A file whose writer was killed: its header is older than its sound."""
    path.write_bytes(header(2, RATE, says) + holds)
    return path


class TestRepairing:
    @pytest.mark.parametrize("says", [0, 640, 0xFFFFFFD0, 10 * len(SECOND)])
    def test_makes_the_header_say_what_the_file_holds(self, says: int, tmp_path: Path) -> None:
        path = torn(tmp_path / "a.wav", says=says)
        assert repair(path) == Wav(2, RATE, 44, len(SECOND))
        with wave.open(str(path)) as file:
            assert (file.getnchannels(), file.getframerate(), file.getnframes()) == (2, RATE, RATE)
            assert file.readframes(RATE) == SECOND

    def test_cuts_half_a_frame_off(self, tmp_path: Path) -> None:
        path = torn(tmp_path / "a.wav", says=0, holds=SECOND + b"xyz")
        assert repair(path).frames == RATE
        assert path.stat().st_size == 44 + len(SECOND)

    def test_leaves_a_good_file_as_it_is(self, tmp_path: Path) -> None:
        path = torn(tmp_path / "a.wav", says=len(SECOND))
        before = path.read_bytes()
        repair(path)
        repair(path)
        assert path.read_bytes() == before

    def test_finds_the_sound_behind_other_chunks(self, tmp_path: Path) -> None:
        head = header(1, 8_000, 0)
        note = struct.pack("<4sI", b"LIST", 5) + b"hello\0"
        (tmp_path / "a.wav").write_bytes(head[:36] + note + head[36:] + b"\1\2" * 100)
        assert repair(tmp_path / "a.wav") == Wav(1, 8_000, 58, 200)
        with wave.open(str(tmp_path / "a.wav")) as file:
            assert file.getnframes() == 100

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"\0" * 100, b"OggS" + b"\0" * 100, header(2, RATE, 0)[:30]),
            *(b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff" + b"\0" * 100),
            header(2, RATE, 4).replace(b"\x10\x00data", b"\x08\x00data") + b"abcd",
        ],
        ids=range(9),
    )
    def test_refuses_what_is_no_recording(self, content: bytes, tmp_path: Path) -> None:
        (tmp_path / "a.wav").write_bytes(content)
        with pytest.raises(NotAWav):
            repair(tmp_path / "a.wav")
        assert (tmp_path / "a.wav").read_bytes() == content


class TestDepositing:
    async def test_repairs_stores_and_clears_away(self, tmp_path: Path) -> None:
        storage = open_storage((tmp_path / "store").as_uri())
        key = segment_key("acme", "call", "run_1", 0)
        assert key == "recordings/acme/call/run_1-0.wav"
        done = await deposit(storage, torn(tmp_path / "a.wav", says=0), key)
        assert (done.key, done.duration_ms, done.channels, done.rate) == (key, 1_000, 2, RATE)
        assert not (tmp_path / "a.wav").exists()
        await storage.fetch(key, tmp_path / "fetched.wav")
        assert read_wav(tmp_path / "fetched.wav").duration_ms == 1_000

    async def test_keeps_the_file_where_the_storage_is_away(self, tmp_path: Path) -> None:
        (tmp_path / "store").write_bytes(b"no folder")
        path = torn(tmp_path / "a.wav", says=0)
        with pytest.raises(StorageUnavailable):
            await deposit(open_storage((tmp_path / "store").as_uri()), path, segment_key("a", "b", "c", 0))
        assert read_wav(path).duration_ms == 1_000

    async def test_refuses_silence_of_no_length_and_keeps_the_file(self, tmp_path: Path) -> None:
        path = torn(tmp_path / "a.wav", says=0, holds=b"")
        with pytest.raises(NotAWav):
            await deposit(open_storage((tmp_path / "store").as_uri()), path, segment_key("a", "b", "c", 0))
        assert path.exists()

    def test_refuses_a_run_that_leads_elsewhere(self) -> None:
        for run, number in (("../x", 0), ("", 0), ("a/b", 0), ("-a", 0), ("ok", -1)):
            with pytest.raises(ValueError, match="not a run"):
                segment_key("acme", "call", run, number)

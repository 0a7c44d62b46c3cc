"""Sound as bytes: `foundation/sound`."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rymi_server.foundation.sound.g711 import A_LAW, MU_LAW, Law
from rymi_server.foundation.sound.levels import SILENT_DB, level_db, peak
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.foundation.sound.wav import HEADER_BYTES, NotWav, Shape, header, read_header, repair

EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16).tobytes()
EVERY_CODE = bytes(range(256))
STEREO = Shape(16_000, 2)


def tone(hertz: float, rate: int, seconds: float = 1) -> np.ndarray:
    return (np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate) * 20_000).astype(np.int16)


def db_at(samples: np.ndarray, rate: int, hertz: float) -> float:
    """How strong this frequency is, in dB below full scale."""
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) * 4 / len(middle) / 32_768
    at = round(hertz * len(middle) / rate)
    return float(20 * np.log10(spectrum[at - 2 : at + 3].max() + 1e-9))


class TestG711:
    # Digests of what CPython's audioop, which is gone, made of every sample and every code.
    @pytest.mark.parametrize(
        ("law", "codes", "samples"),
        [
            (MU_LAW, "81d633c9e6972a18c74a58720b96cb8c", "3dab54339e520bb2c924826e3b72a917"),
            (A_LAW, "38488f6fd710f4686360edc4d38639f9", "e04788d110e58ff8c70c93b8480190d9"),
        ],
        ids=["mu-law", "a-law"],
    )
    def test_is_exact_to_the_bit(self, law: Law, codes: str, samples: str) -> None:
        assert hashlib.sha256(law.encode(EVERY_SAMPLE)).hexdigest()[:32] == codes
        assert hashlib.sha256(law.decode(EVERY_CODE)).hexdigest()[:32] == samples

    @pytest.mark.parametrize("law", [MU_LAW, A_LAW], ids=["mu-law", "a-law"])
    def test_is_silent_when_nobody_speaks(self, law: Law) -> None:
        assert level_db(law.decode(law.silence * 160)) < -70


class TestResampling:
    @pytest.mark.parametrize(
        ("source", "target"),
        [
            (8_000, 16_000),
            (16_000, 8_000),
            (48_000, 16_000),
            (16_000, 48_000),
            (22_050, 16_000),
            (22_050, 48_000),
            (24_000, 16_000),
            (44_100, 16_000),
        ],
    )
    def test_keeps_a_tone_and_makes_no_other(self, source: int, target: int) -> None:
        out = PolyResampler(source, target).push(tone(1_000, source))
        assert abs(len(out) - target) <= target // 100
        assert db_at(out, target, 1_000) == pytest.approx(20 * np.log10(20_000 / 32_768), abs=0.5)
        image = abs(source - 1_000) if source < target else None
        assert image is None or image >= target / 2 or db_at(out, target, image) < -70

    def test_keeps_out_what_the_lower_rate_cannot_carry(self) -> None:
        out = PolyResampler(16_000, 8_000).push(tone(5_000, 16_000))
        assert level_db(out[200:-200].tobytes()) < -60

    @pytest.mark.parametrize(("source", "target"), [(8_000, 16_000), (48_000, 16_000), (22_050, 16_000)])
    def test_gives_the_same_whatever_the_blocks(self, source: int, target: int) -> None:
        sound = tone(700, source)
        whole = PolyResampler(source, target).push(sound)
        random, pieces, resampler, at = np.random.default_rng(0), [], PolyResampler(source, target), 0
        while at < len(sound):
            size = int(random.integers(1, 700))
            pieces.append(resampler.push(sound[at : at + size]))
            at += size
        joined = np.concatenate(pieces)
        assert len(joined) == len(whole)
        assert np.abs(joined.astype(int) - whole.astype(int)).max() <= 1

    def test_withholds_two_milliseconds_at_most(self) -> None:
        click = np.zeros(160, np.int16)
        click[0] = 20_000
        out = PolyResampler(8_000, 16_000).push(click)
        assert int(np.abs(out.astype(int)).argmax()) <= 40

    def test_passes_through_what_needs_no_change(self) -> None:
        sound = tone(440, 16_000)
        assert PolyResampler(16_000, 16_000).push(sound) is sound

    def test_refuses_rates_that_are_none(self) -> None:
        with pytest.raises(ValueError, match="positive"):
            PolyResampler(0, 16_000)


class TestLevels:
    def test_know_silence_and_full_scale(self) -> None:
        assert level_db(b"") == level_db(bytes(640)) == SILENT_DB
        assert level_db(tone(440, 16_000).tobytes()) == pytest.approx(-7.3, abs=0.1)
        assert peak(tone(440, 16_000).tobytes()) == pytest.approx(20_000 / 32_768, abs=0.01)
        assert peak(b"") == 0


class TestWav:
    def torn(self, folder: Path, said: int, held: int) -> Path:
        file = folder / "torn.wav"
        file.write_bytes(header(STEREO, said) + bytes(held))
        return file

    def test_reads_its_own_header(self) -> None:
        assert read_header(header(STEREO, 128_000)) == (STEREO, 128_000)

    def test_repairs_a_file_that_grew_past_its_header(self, tmp_path: Path) -> None:
        file = self.torn(tmp_path, said=640, held=64_000)
        assert repair(file) == 1_000
        assert read_header(file.read_bytes()) == (STEREO, 64_000)

    def test_cuts_off_half_a_sample(self, tmp_path: Path) -> None:
        file = self.torn(tmp_path, said=64_000, held=64_003)
        assert repair(file) == 1_000
        assert file.stat().st_size == HEADER_BYTES + 64_000

    def test_leaves_a_whole_file_alone(self, tmp_path: Path) -> None:
        file = self.torn(tmp_path, said=64_000, held=64_000)
        before = file.read_bytes()
        repair(file)
        assert file.read_bytes() == before

    @pytest.mark.parametrize("held", [b"", b"RIFF", b"x" * 100, header(Shape(0, 2), 0)])
    def test_refuses_what_it_did_not_write(self, tmp_path: Path, held: bytes) -> None:
        file = tmp_path / "other.wav"
        file.write_bytes(held)
        with pytest.raises(NotWav):
            repair(file)

    def test_counts_no_further_than_the_format_can(self) -> None:
        _, size = read_header(header(STEREO, 2**33))
        assert size == 0xFFFF_FFFF - HEADER_BYTES

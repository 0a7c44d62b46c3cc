"""Lines that are never silent: what arrives at once after a stall is worked off there as well, and words stay whole.

`telephony/bridge/phone_audio.py`, `line_levels.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from rymi_server.telephony.bridge.phone_audio import PIECE_MS, PhoneAudio

Sound = NDArray[np.float64]

RATE, PIECE = 8000, 160
A_SECOND = 1000 // PIECE_MS
STALLS_AT, STALLS_FOR = 10 * A_SECOND, 45
RELAXED_MS = 80


def noise(dbfs: float, pieces: int) -> Sound:
    return np.random.default_rng(5).normal(0, 32_768 * 10 ** (dbfs / 20), pieces * PIECE)


def syllables(pieces: int) -> Sound:
    """A voice of usual loudness that swells and fades four times a second."""
    at = np.arange(pieces * PIECE) / RATE
    tones = sum(np.sin(2 * np.pi * 140 * harmonic * at) / harmonic for harmonic in range(1, 12))
    return np.asarray(2_500 * tones * np.sin(np.pi * 4 * at) ** 2)


def tone(pieces: int) -> Sound:
    return np.asarray(4_000 * np.sin(2 * np.pi * 300 * np.arange(pieces * PIECE) / RATE))


def peaks(sound: Sound) -> Sound:
    return np.asarray(np.abs(sound.reshape(-1, PIECE)).max(axis=1))


def where(spoken: Iterable[bool]) -> Sound:
    """1 where a piece is spoken, else 0."""
    return np.repeat(np.fromiter(spoken, float), PIECE)


@dataclass
class Told:
    """How much waited after each piece, and which of them nobody heard."""

    delay_ms: list[int]
    left_out: list[int]

    def is_on_time_again_after_s(self) -> float:
        late = [at for at, ms in enumerate(self.delay_ms) if at > STALLS_AT and ms > RELAXED_MS]
        assert late[-1] < len(self.delay_ms) - 1, "it is late to the end"
        return (late[-1] - STALLS_AT - STALLS_FOR) / A_SECOND


def told(sound: Sound) -> Told:
    """What becomes of it where the line stalls once, so that 0.9 s arrive at once."""
    audio, delay, heard = PhoneAudio(RATE), [], set()
    pieces = [piece.astype(np.int16) for piece in sound.reshape(-1, PIECE)]
    waiting: list[tuple[NDArray[np.int16], int]] = []
    for number, piece in enumerate(pieces):
        waiting.append((piece, number * PIECE_MS))
        if not STALLS_AT <= number < STALLS_AT + STALLS_FOR:
            for each in waiting:
                audio.push(*each)
            waiting.clear()
        heard.add(audio.pop().tobytes())
        delay.append(audio.buffered_ms)
    # What still waits is heard later.
    came = pieces[: len(pieces) - audio.buffered_ms // PIECE_MS]
    return Told(delay, [number for number, piece in enumerate(came) if piece.tobytes() not in heard])


AUDIBLE = [-50, -45, -40, -35]
LEVELS = pytest.mark.parametrize("dbfs", [-65, -60, -55, *AUDIBLE])


class TestALineThatIsNeverSilent:
    @LEVELS
    def test_is_on_time_again_by_the_next_pause_and_every_word_is_heard(self, dbfs: float) -> None:
        speaks = [piece % 300 < 125 for piece in range(30 * A_SECOND)]
        voice, noises = syllables(len(speaks)) * where(speaks), noise(dbfs, len(speaks))
        line = told(noises + voice)
        assert line.is_on_time_again_after_s() < 6
        # What is as soft as the noise was not heard anyway.
        assert peaks(voice)[line.left_out].max() < np.median(peaks(noises))
        assert len(line.left_out) <= STALLS_FOR

    @pytest.mark.parametrize("dbfs", AUDIBLE)
    def test_keeps_the_gaps_within_words(self, dbfs: float) -> None:
        """Before a p, t or k nothing is heard for 60 ms or so."""
        pieces = range(30 * A_SECOND)
        speaks = [piece % 350 < 200 and piece % 350 % 12 < 9 for piece in pieces]
        is_gap = [piece % 350 < 200 and not spoken for piece, spoken in zip(pieces, speaks, strict=True)]
        line = told(noise(dbfs, len(pieces)) + tone(len(pieces)) * where(speaks))
        assert line.is_on_time_again_after_s() < 6
        assert not any(speaks[piece] or is_gap[piece] for piece in line.left_out)

    @LEVELS
    def test_is_on_time_again_where_nobody_pauses(self, dbfs: float) -> None:
        pieces = 40 * A_SECOND
        voice = syllables(pieces)
        line = told(noise(dbfs, pieces) + voice)
        assert line.is_on_time_again_after_s() < 20
        assert 1 not in np.diff(line.left_out), "two in a row"
        assert peaks(voice)[line.left_out].max() < np.median(peaks(voice)) / 2

    def test_takes_no_loud_tone_for_noise_and_still_gets_on_time(self) -> None:
        pieces = 40 * A_SECOND
        line = told(noise(-50, pieces) + tone(pieces))
        assert line.left_out[0] > STALLS_AT + STALLS_FOR
        assert line.is_on_time_again_after_s() > 5
        assert np.diff(line.left_out).min() >= 5

    def test_leaves_out_nothing_while_it_is_on_time(self) -> None:
        audio, sound = PhoneAudio(RATE), noise(-45, 20 * A_SECOND).astype(np.int16)
        for number, piece in enumerate(sound.reshape(-1, PIECE)):
            audio.push(piece, number * PIECE_MS)
            audio.pop()
        assert audio.dropped_ms == 0

    def test_has_no_holes_torn_into_it_by_a_jump(self) -> None:
        """Ten pieces at a time, five times a second: what comes early is needed."""
        audio, sound = PhoneAudio(RATE), noise(-45, 20 * A_SECOND).astype(np.int16)
        for jump in sound.reshape(-1, PIECE * 10):
            audio.push(jump)
            for _ in range(10):
                audio.pop()
        assert audio.dropped_ms == 0

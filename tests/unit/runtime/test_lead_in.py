"""The silence before an answer's first sound."""

import numpy as np
import pytest

from rymi_server.runtime.speaking.lead_in import LeadIn

RATE = 24_000
_MS = RATE // 1_000


def _sound(*spans: tuple[int, int]) -> bytes:
    """So many milliseconds each at such a level."""
    return np.concatenate([np.full(ms * _MS, level, np.int16) for ms, level in spans]).tobytes()


def _played(sound: bytes, piece_ms: int) -> bytes:
    lead_in, step = LeadIn(RATE), piece_ms * _MS * 2
    played = b"".join(lead_in.after(sound[at : at + step]) for at in range(0, len(sound), step))
    return played + lead_in.rest()


class TestTheSilenceBeforeTheFirstSound:
    @pytest.mark.parametrize("piece_ms", [3, 20, 200, 2_000])
    def test_is_taken_away_but_for_ten_milliseconds(self, piece_ms: int) -> None:
        spoken = _sound((100, 3_000), (400, 0), (100, -3_000))
        assert _played(_sound((150, 40)) + spoken, piece_ms) == _sound((10, 40)) + spoken

    def test_of_less_than_that_stays(self) -> None:
        sound = _sound((4, 0), (50, -500))
        assert _played(sound, 20) == sound

    @pytest.mark.parametrize("piece_ms", [3, 20, 200, 5_000])
    def test_is_a_pause_that_is_meant_from_a_second_on(self, piece_ms: int) -> None:
        assert _played(_sound((3_000, 0), (50, 500)), piece_ms) == _sound((2_000, 0), (50, 500))

    @pytest.mark.parametrize("piece_ms", [3, 20, 200])
    def test_is_all_there_is_of_an_answer_without_a_sound(self, piece_ms: int) -> None:
        assert _played(_sound((100, 0)), piece_ms) == _sound((10, 0))

    def test_ends_with_a_sample_as_low_as_there_is(self) -> None:
        assert _played(_sound((60, 0), (1, -32_768)), 20) == _sound((10, 0), (1, -32_768))

    def test_may_be_none_at_all(self) -> None:
        assert _played(b"", 20) == b""

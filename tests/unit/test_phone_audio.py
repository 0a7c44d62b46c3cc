"""What is made of a phone's audio that comes in jumps, with holes, and twice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rymi_server.telephony.bridge.keys import Presses, TonesWaiting, code_of, tone_of
from rymi_server.telephony.bridge.mixing import mixed
from rymi_server.telephony.bridge.phone_audio import PhoneAudio
from rymi_server.telephony.bridge.voice import voice_of
from rymi_server.telephony.carriers.media import Encoding, Format

Samples = NDArray[np.int16]


def frame(value: int, length: int = 160) -> Samples:
    return np.full(length, value, np.int16)


def values(audio: PhoneAudio, pieces: int) -> list[int]:
    return [int(audio.pop()[0]) for _ in range(pieces)]


class TestPhoneAudio:
    def test_waits_for_40_ms_and_then_plays_in_order(self) -> None:
        audio = PhoneAudio(8000)
        audio.push(frame(1000))
        assert values(audio, 1) == [0]
        audio.push(frame(2000))
        assert values(audio, 2) == [1000, 2000]

    def test_fades_out_what_runs_dry_and_begins_anew(self) -> None:
        audio = PhoneAudio(8000)
        audio.push(frame(1000, 320))
        assert values(audio, 2) == [1000, 1000]
        assert values(audio, 4) == [600, 300, 0, 0]
        assert audio.concealed_ms == 40
        audio.push(frame(3000))
        assert values(audio, 1) == [0]

    def test_fills_a_hole_where_it_was(self) -> None:
        audio = PhoneAudio(8000)
        audio.push(frame(1000), 0)
        audio.push(frame(2000), 20)
        audio.push(frame(4000), 60)
        assert values(audio, 4) == [1000, 2000, 1200, 4000]

    def test_takes_what_comes_twice_once(self) -> None:
        audio = PhoneAudio(8000)
        for at in (0, 20, 20, 0, 40):
            audio.push(frame(1000 + at), at)
        assert values(audio, 3) == [1000, 1020, 1040]

    def test_another_clock_is_followed(self) -> None:
        audio = PhoneAudio(8000)
        audio.push(frame(1000), 50_000)
        audio.push(frame(2000), 0)
        assert values(audio, 2) == [1000, 2000]

    def test_leaves_out_silence_until_the_delay_is_gone(self) -> None:
        audio = PhoneAudio(8000)
        for _ in range(20):
            audio.push(frame(0))
        for _ in range(8):
            audio.pop()
        assert audio.buffered_ms <= 100
        assert audio.dropped_ms > 0

    def test_keeps_a_second_at_most_and_the_newest_of_it(self) -> None:
        audio = PhoneAudio(8000)
        for at in range(100):
            audio.push(frame(1000 + at))
        assert audio.buffered_ms == 1000
        assert values(audio, 1) == [1050]

    @given(st.lists(st.tuples(st.integers(0, 700), st.one_of(st.none(), st.integers(0, 3000)), st.integers(0, 8))))
    def test_gives_20_ms_whatever_comes(self, pushes: list[tuple[int, int | None, int]]) -> None:
        audio = PhoneAudio(16_000)
        for length, at, pops in pushes:
            audio.push(frame(500, length), at)
            for _ in range(pops):
                assert len(audio.pop()) == 320
            assert audio.buffered_ms <= 1000


class TestMixing:
    def test_adds_and_never_wraps_around(self) -> None:
        assert mixed([frame(30_000), frame(30_000)]).tolist()[:1] == [32_767]  # type: ignore[union-attr]
        assert mixed([frame(-30_000), frame(-30_000), frame(1)]).tolist()[:1] == [-32_768]  # type: ignore[union-attr]
        assert mixed([]) is None


class TestVoice:
    def test_goes_through_mu_law_and_back(self) -> None:
        voice = voice_of(Format(Encoding.MULAW, 8000))
        there = voice.samples(voice.frame(frame(8000)))
        assert len(there) == 160
        assert abs(int(there[0]) - 8000) < 300
        assert voice.samples(voice.silence).tolist() == [0] * 160

    def test_fills_a_short_frame(self) -> None:
        assert len(voice_of(Format(Encoding.LINEAR, 16_000)).frame(frame(1, 100))) == 640
        assert len(voice_of(Format(Encoding.MULAW, 8000)).frame(frame(1, 100))) == 160

    def test_leaves_out_half_a_sample(self) -> None:
        assert len(voice_of(Format(Encoding.LINEAR, 16_000)).samples(b"\x01\x02\x03")) == 1


class TestKeys:
    def test_have_the_numbers_of_rfc_4733(self) -> None:
        assert [code_of(key) for key in "09*#A"] == [0, 9, 10, 11, 12]

    def test_sound_as_two_tones(self) -> None:
        spectrum = np.abs(np.fft.rfft(tone_of("5", 8000)[:960]))
        heard = sorted(float(at) for at in np.argsort(spectrum)[-2:] * 8000 / 960)
        assert np.allclose(heard, [770, 1336], atol=9)

    def test_are_pressed_once_however_often_they_are_reported(self) -> None:
        presses = Presses()
        assert [presses.is_new(*each) for each in (("1", 1.0), ("1", 1.05), ("2", 1.06), ("2", 1.3))] == [
            True,
            False,
            True,
            True,
        ]

    def test_more_than_fit_are_not_pressed(self) -> None:
        tones = TonesWaiting(8000, 160)
        assert tones.press("1" * 40) == 32
        assert tones.take() is not None

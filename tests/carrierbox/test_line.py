"""What lies between carrier and phone: mu-law, sample rates, play-out, tones and bad lines. Pure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.carrierbox.sound import loud_ms, loudest_hertz, mulaw_tone, tone

from carrierbox.line import g711
from carrierbox.line.condition import Condition, Frame, Line
from carrierbox.line.linear import LinearCodec
from carrierbox.line.playout import MOST_MARKS, PlayOut
from carrierbox.line.recording import BadWav, Recording, read_wav, write_wav
from carrierbox.line.resample import Resampler
from carrierbox.line.tones import PAIRS, KeyEar, keys


class Noted:
    """A mark that remembers in which frame it was reached."""

    def __init__(self) -> None:
        self.now = 0
        self.reached_in: list[int] = []

    def reached(self) -> None:
        self.reached_in.append(self.now)


def play(playout: PlayOut, frames: int, *marks: Noted) -> bytes:
    sound = b""
    for number in range(frames):
        for mark in marks:
            mark.now = number
        sound += playout.tick()
    return sound


class TestMuLaw:
    def test_gives_the_values_of_the_standard(self) -> None:
        codes = bytes([0x00, 0x0F, 0x7F, 0x80, 0x8F, 0xFF])
        assert g711.decode(codes).tolist() == [-32124, -16764, 0, 32124, 16764, 0]

    def test_returns_every_code_unchanged_but_the_second_zero(self) -> None:
        codes = bytes(range(256))
        back = g711.encode(g711.decode(codes))
        assert [i for i in range(256) if back[i] != i] == [0x7F]

    def test_is_never_off_by_more_than_half_a_step(self) -> None:
        samples = np.arange(-32768, 32768).astype(np.int16)
        error = np.abs(g711.decode(g711.encode(samples)).astype(int) - samples)
        assert (error <= np.maximum(8, np.abs(samples.astype(int)) // 16 + 8)).all()


class TestAResampler:
    @pytest.mark.parametrize(("source", "target"), [(8000, 16_000), (16_000, 8000), (8000, 24_000), (22_050, 8000)])
    def test_keeps_the_tone_and_the_length_whatever_the_blocks(self, source: int, target: int) -> None:
        whole, parts = Resampler(source, target), Resampler(source, target)
        samples = tone(440, 1.0, source)
        at_once = whole.push(samples)
        bit_by_bit = np.concatenate([parts.push(block) for block in np.array_split(samples, 37)])
        assert abs(len(at_once) - target) <= 1
        assert np.abs(at_once.astype(int) - bit_by_bit).max() <= 1
        assert loudest_hertz(at_once, target) == pytest.approx(440, abs=2)

    def test_lets_nothing_fold_back_from_above(self) -> None:
        down = Resampler(16_000, 8000).push(tone(6000, 0.5, 16_000))
        assert np.abs(down[200:]).max() < 50


class TestALinearCodec:
    def test_gives_back_frame_for_frame(self) -> None:
        codec = LinearCodec(16_000)
        assert [len(codec.from_line(g711.SILENCE)) for _ in range(3)] == [640, 640, 640]
        assert [len(codec.to_line(bytes(640))) for _ in range(3)] == [160, 160, 160]

    def test_never_tears_a_sample(self) -> None:
        codec, samples = LinearCodec(8000), tone(440, 0.1).astype("<i2").tobytes()
        torn = b"".join(codec.to_line(samples[i : i + 33]) for i in range(0, len(samples), 33))
        assert torn == g711.encode(tone(440, 0.1))


class TestPlayOut:
    def test_plays_in_real_time_what_came_at_once(self) -> None:
        playout = PlayOut(10_000)
        playout.push(mulaw_tone(440, 0.1))
        sound = play(playout, 8)
        assert sound[:800] == mulaw_tone(440, 0.1)
        assert sound[800:] == g711.SILENCE * 3

    def test_reaches_a_mark_when_the_audio_before_it_has_been_played(self) -> None:
        playout, mark = PlayOut(10_000), Noted()
        playout.push(mulaw_tone(440, 0.1))
        playout.mark(mark)
        playout.push(mulaw_tone(440, 0.1))
        play(playout, 12, mark)
        assert mark.reached_in == [5]

    def test_reaches_a_mark_inside_a_frame_with_the_next(self) -> None:
        playout, mark = PlayOut(10_000), Noted()
        playout.push(bytes(80))
        playout.mark(mark)
        playout.push(bytes(400))
        play(playout, 4, mark)
        assert mark.reached_in == [1]

    def test_reaches_a_mark_at_once_if_nothing_is_left_to_play(self) -> None:
        playout, mark = PlayOut(10_000), Noted()
        playout.mark(mark)
        assert mark.reached_in == [0]

    def test_reaches_a_mark_not_before_the_last_frame_is_over(self) -> None:
        playout, mark = PlayOut(10_000), Noted()
        playout.push(bytes(160))
        play(playout, 1)
        playout.mark(mark)
        assert mark.reached_in == []
        play(playout, 1, mark)
        assert mark.reached_in == [0]

    def test_forgets_what_was_not_played_and_says_which_marks_stood_in_it(self) -> None:
        playout, mark = PlayOut(10_000), Noted()
        playout.push(bytes(1600))
        playout.mark(mark)
        play(playout, 2)
        assert playout.clear() == [mark]
        assert play(playout, 1) == g711.SILENCE
        assert (playout.buffered_ms, mark.reached_in) == (0, [])

    def test_loses_what_finds_no_room(self) -> None:
        playout = PlayOut(100)
        playout.push(bytes(1000))
        assert (playout.buffered_ms, playout.dropped, playout.filled) == (100, 200, 1.0)

    def test_holds_only_so_many_marks(self) -> None:
        playout = PlayOut(1000)
        playout.push(bytes(160))
        assert all(playout.mark(Noted()) for _ in range(MOST_MARKS))
        assert playout.mark(Noted()) is False

    def test_counts_the_gaps_between_audio_and_not_the_silence_around_it(self) -> None:
        playout = PlayOut(10_000)
        play(playout, 5)
        for frames in (2, 5):
            playout.push(bytes(160))
            play(playout, frames)
        playout.push(bytes(160))
        play(playout, 20)
        assert (playout.gaps, playout.gap_ms) == (2, 20 + 80)

    def test_lets_keys_go_before_speech(self) -> None:
        playout = PlayOut(10_000)
        playout.push(mulaw_tone(440, 0.1))
        playout.press(keys("5"))
        sound = play(playout, 20)
        assert sound[: len(keys("5"))] == keys("5")
        assert sound[len(keys("5")) :][:800] == mulaw_tone(440, 0.1)


class TestPlayOutOfAnything:
    @settings(deadline=None)
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("push"), st.binary(max_size=500)),
                st.tuples(st.just("mark"), st.just(b"")),
                st.tuples(st.just("tick"), st.just(b"")),
            ),
            max_size=60,
        )
    )
    def test_plays_every_byte_once_and_in_order_and_reaches_every_mark(self, orders: list[tuple[str, bytes]]) -> None:
        playout, marks, pushed, played = PlayOut(100_000), [], b"", b""
        for order, sound in [*orders, *[("tick", b"")] * 200]:
            match order:
                case "push":
                    playout.push(sound)
                    pushed += sound
                case "mark":
                    marks.append(Noted())
                    playout.mark(marks[-1])
                case "tick":
                    played += playout.tick()
        assert played.replace(b"\xff", b"") == pushed.replace(b"\xff", b"")
        assert all(mark.reached_in == [0] for mark in marks)
        assert playout.buffered_ms == 0


class TestKeys:
    @pytest.mark.parametrize("key", sorted(PAIRS))
    def test_are_heard_through_noise(self, key: str) -> None:
        line, ear = Line(Condition(noise_db=-35), 1), KeyEar()
        sound = keys(key + key)
        noisy = [line.mar(sound[i : i + 160]) or b"" for i in range(0, len(sound), 160)]
        heard = [ear.hear(g711.decode(frame).astype(np.float32)) for frame in noisy]
        assert [found for found in heard if found] == [key, key]


class TestABadLine:
    def test_loses_its_share_and_the_same_frames_every_time(self) -> None:
        def lost(seed: int) -> list[int]:
            line = Line(Condition(loss=0.1), seed)
            carried = [f for n in range(2000) for f in line.carry(Frame(n, g711.SILENCE))]
            return [f.number for f in carried if f.sound is None]

        assert 140 <= len(lost(1)) <= 260
        assert lost(1) == lost(1) != lost(2)

    def test_holds_frames_up_and_never_changes_their_order(self) -> None:
        line, arrived, waits = Line(Condition(jitter_ms=200), 3), [], []
        for now in range(1000):
            for frame in line.carry(Frame(now, g711.SILENCE)):
                arrived.append(frame.number)
                waits.append(now - frame.number)
        assert arrived == list(range(len(arrived)))
        assert 2 <= max(waits) <= 10

    def test_hisses_at_its_level(self) -> None:
        line = Line(Condition(noise_db=-30), 1)
        hiss = g711.decode(b"".join(line.mar(g711.SILENCE) or b"" for _ in range(100))).astype(float)
        assert 20 * np.log10(hiss.std() / 32767) == pytest.approx(-30, abs=1)

    def test_is_perfect_unless_told_otherwise(self) -> None:
        line = Line(Condition(), 1)
        assert line.carry(Frame(7, b"x" * 160)) == [Frame(7, b"x" * 160)]


class TestARecording:
    def test_keeps_no_more_than_it_may(self) -> None:
        recording = Recording()
        recording.start(1)
        for _ in range(60):
            recording.add(None)
        assert len(recording) == 8000

    def test_comes_back_from_wav(self) -> None:
        wav = write_wav(tone(440, 0.5), tone(880, 0.3))
        mixed = g711.decode(read_wav(wav))
        assert loud_ms(mixed) == list(range(0, 500, 20))

    def test_takes_other_rates_and_refuses_what_is_no_wav(self) -> None:
        with pytest.raises(BadWav, match="not a WAV"):
            read_wav(b"RIFFnonsense")

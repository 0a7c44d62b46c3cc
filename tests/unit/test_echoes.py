"""What the bridge learns from marks of when a carrier plays, on virtual time."""

import pytest

from rymi_server.telephony.bridge.carrier_clock import CarrierClock
from rymi_server.telephony.bridge.echoes import FRAME_S, Echoes, Reserve


class Phone:
    """Plays a frame each 20 ms, `phase_s` after we began. A room's frame comes each 20 ms and is sent as it comes."""

    def __init__(self, phase_s: float, way_s: float) -> None:
        self.clock = CarrierClock()
        self.phase_ms, self.way_ms = round(phase_s * 1000), round(way_s * 1000)
        self.queue: list[tuple[int, str | None]] = []
        self.echoes: list[tuple[int, str]] = []
        self.ms = 0
        self.lay_ms = 0
        self.dry = 0
        first = self.clock.opened(0.0)
        self.echoes.append((2 * self.way_ms, first))

    def run(self, frames: int, *, delayed_ms: int = 0) -> None:
        """`delayed_ms` is how much longer than usual each of them is on its way."""
        for _ in range(frames * 20):
            if self.ms % 20 == 0:
                name = self.clock.sent(self.ms / 1000)
                self.queue.append((self.ms + self.way_ms + delayed_ms, name))
            if self.ms % 20 == (self.phase_ms + self.way_ms) % 20:
                self._tick()
            for at, name in [each for each in self.echoes if each[0] <= self.ms]:
                self.echoes.remove((at, name))
                assert self.clock.played(name, self.ms / 1000)
            self.ms += 1

    def _tick(self) -> None:
        if not self.queue or self.queue[0][0] > self.ms:
            self.dry += 1
            return
        came_at, name = self.queue.pop(0)
        self.lay_ms = self.ms - came_at
        if name:
            self.echoes.append((self.ms + 20 + self.way_ms, name))


class TestCarriersClock:
    @pytest.mark.parametrize("phase_s", [0.001, 0.008, 0.019])
    @pytest.mark.parametrize("way_s", [0.0, 0.06])
    def test_marks_tell_when_in_its_20_ms_a_carrier_plays(self, phase_s: float, way_s: float) -> None:
        phone = Phone(phase_s, way_s)
        assert phone.clock.ahead_s == 0
        phone.run(100)
        phone.clock.due(phone.ms / 1000)
        assert phone.clock.ahead_s == pytest.approx(phone.lay_ms / 1000, abs=0.0021)

    def test_a_carrier_that_ran_dry_is_given_more_in_reserve(self) -> None:
        phone = Phone(0.004, 0.02)
        phone.run(100)
        before = phone.clock.longest_s(phone.ms / 1000)
        dry = phone.dry
        phone.run(1, delayed_ms=15)
        phone.run(100)
        assert phone.dry == dry + 1
        assert phone.clock.longest_s(phone.ms / 1000) > before
        phone.clock.due(phone.ms / 1000)
        assert phone.clock.ahead_s == pytest.approx(phone.lay_ms / 1000, abs=0.0021)

    def test_one_that_ran_dry_over_a_frame_left_out_had_less_than_it_seemed(self) -> None:
        phone = Phone(0.008, 0.02)
        phone.run(100)
        ahead_s, longest_s = phone.clock.ahead_s, phone.clock.longest_s(phone.ms / 1000)
        phone.clock.left_out(phone.ms / 1000)
        phone.run(1, delayed_ms=15)
        phone.run(60)
        assert phone.clock.longest_s(phone.ms / 1000) == longest_s
        assert phone.clock.ahead_s == pytest.approx(ahead_s, abs=0.0021)

    def test_no_more_is_held_back_than_two_frames(self) -> None:
        """What a carrier has piled up is its own: here it would be lost."""
        phone = Phone(0.004, 0.02)
        phone.run(100)
        phone.run(1, delayed_ms=150)
        phone.run(100)
        phone.clock.due(phone.ms / 1000)
        assert phone.clock.ahead_s > 0.1
        assert phone.clock.due(phone.ms / 1000 + 0.04) > 0


class TestEchoes:
    def test_a_mark_that_is_late_by_itself_means_nothing(self) -> None:
        echoes = Echoes()
        echoes.of_nothing(0.03)
        dry = [echoes.of_frame(took_s, 0.01) for took_s in (0.065, 0.065, 0.065, 0.2, 0.09, 0.065)]
        assert dry == [0.0] * 6
        assert echoes.longer_s == pytest.approx(0.005)

    def test_nothing_is_known_without_marks(self) -> None:
        assert Echoes().longer_s == 0

    def test_nothing_lies_there_for_less_than_on_paper(self) -> None:
        """The first mark was kept up; the way is shorter than it looked."""
        echoes = Echoes()
        echoes.of_nothing(0.3)
        echoes.of_frame(FRAME_S + 0.01 + 0.04, 0.01)
        assert echoes.longer_s == 0
        echoes.of_frame(FRAME_S + 0.01 + 0.05, 0.01)
        echoes.begin_anew()
        echoes.of_frame(FRAME_S + 0.01 + 0.05, 0.01)
        assert echoes.longer_s == pytest.approx(0.01)


class TestReserve:
    def test_grows_at_once_and_shrinks_by_and_by(self) -> None:
        reserve = Reserve()
        least = reserve.seconds(0.0)
        reserve.fell_short(10.0)
        reserve.fell_short(10.5)
        assert reserve.seconds(11.0) == pytest.approx(least + 0.01)
        reserve.fell_short(12.0)
        assert reserve.seconds(13.0) == pytest.approx(least + 0.02)
        assert reserve.seconds(73.0) == pytest.approx(least + 0.01)
        assert reserve.seconds(74.0) == pytest.approx(least + 0.01)
        assert reserve.seconds(134.0) == pytest.approx(least)
        assert reserve.seconds(200.0) == pytest.approx(least)

    def test_has_its_bounds(self) -> None:
        reserve = Reserve()
        for at in range(0, 100, 2):
            reserve.fell_short(float(at))
        assert reserve.seconds(99.0) <= 0.06

"""What the bridge believes of the carrier's buffer, on virtual time."""

from rymi_server.telephony.bridge.carrier_clock import CLEAR_ABOVE, LEAD_FRAMES, MOST_AHEAD, CarrierClock


class Carrier:
    """Plays in real time at its own speed what it was given, and returns marks after `way` seconds."""

    def __init__(self, clock: CarrierClock, way: float = 0.03, speed: float = 1.0) -> None:
        self.clock, self.way, self.speed = clock, way, speed
        self.now = 0.0
        self.buffered = 0.0
        self.silent_for = 0.0
        self.most_buffered = 0.0
        self.marks: list[tuple[float, str]] = []
        self.coming: list[tuple[float, str]] = []
        self.sent = 0
        self.answers = True

    def run(self, seconds: float, *, stalled: bool = False) -> None:
        """10 ms at a time; a stalled carrier neither plays nor answers."""
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            if not stalled:
                self._play()
            for _ in range(self.clock.due(self.now)):
                name = self.clock.sent(self.now)
                self.sent += 1
                self.buffered += 1
                if name:
                    self.marks.append((self.buffered, name))
            self.most_buffered = max(self.most_buffered, self.buffered)
            if not stalled:
                self._answer()

    def _play(self) -> None:
        played = min(self.buffered, 0.5 * self.speed)
        self.silent_for += 0.0 if played else 0.01
        self.buffered -= played
        self.marks = [(left - played, name) for left, name in self.marks]
        reached = [name for left, name in self.marks if left <= 1e-9]
        self.marks = [each for each in self.marks if each[0] > 1e-9]
        self.coming += [(self.now + self.way, name) for name in reached]

    def _answer(self) -> None:
        for at, name in list(self.coming):
            if at <= self.now:
                self.coming.remove((at, name))
                if self.answers:
                    self.clock.played(name, self.now)


class TestCarrierClock:
    def test_begins_with_the_lead_and_goes_on_in_real_time(self) -> None:
        carrier = Carrier(CarrierClock())
        carrier.run(0.01)
        assert carrier.sent == int(LEAD_FRAMES + 1)
        carrier.run(10)
        assert 495 <= carrier.sent <= 505
        assert carrier.silent_for <= 0.01
        assert carrier.most_buffered <= LEAD_FRAMES + 1

    def test_in_good_times_there_is_nothing_worth_clearing(self) -> None:
        clock = CarrierClock()
        Carrier(clock).run(20)
        assert clock.backlog_frames <= CLEAR_ABOVE
        assert clock.marks_lost == 0

    def test_a_far_carrier_is_not_taken_for_a_slow_one(self) -> None:
        clock = CarrierClock()
        carrier = Carrier(clock, way=0.4)
        carrier.run(20)
        assert clock.backlog_frames <= CLEAR_ABOVE
        assert carrier.silent_for <= 0.02

    def test_a_stalled_carrier_is_soon_given_no_more(self) -> None:
        clock = CarrierClock()
        carrier = Carrier(clock)
        carrier.run(5)
        # A mark is sent every 200 ms, so a stall is noticed within that.
        carrier.run(2, stalled=True)
        assert carrier.most_buffered <= MOST_AHEAD + 10 + LEAD_FRAMES + 2
        assert clock.backlog_frames >= MOST_AHEAD
        carrier.run(3)
        assert carrier.buffered <= LEAD_FRAMES + 2
        assert clock.backlog_frames <= CLEAR_ABOVE

    def test_a_carrier_whose_clock_is_slow_is_held_to_200_ms(self) -> None:
        carrier = Carrier(CarrierClock(), speed=0.99)
        carrier.run(120)
        assert carrier.most_buffered <= MOST_AHEAD + LEAD_FRAMES + 1

    def test_a_carrier_without_marks_is_played_to_all_the_same(self) -> None:
        clock = CarrierClock()
        carrier = Carrier(clock)
        carrier.answers = False
        carrier.run(30)
        assert carrier.sent >= 1490
        assert clock.marks_lost > 0

    def test_an_echo_of_what_was_cleared_means_nothing(self) -> None:
        clock = CarrierClock()
        names = [name for each in range(60) if (name := clock.sent(each * 0.02))]
        clock.cleared()
        assert clock.generation == 2
        assert not any(clock.played(name, 2.0) for name in names)

    def test_a_mark_that_nobody_sent_means_nothing(self) -> None:
        assert not CarrierClock().played("g1-25", 1.0)

    def test_what_comes_late_is_sent_at_once(self) -> None:
        clock = CarrierClock()
        for at in (0.0, 0.015):
            for _ in range(clock.due(at)):
                clock.sent(at)
        assert clock.due(0.02) == 0
        assert clock.due(0.5) == int(LEAD_FRAMES + 1)

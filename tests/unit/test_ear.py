"""How long a voice waits for its turn at the phone, on virtual time."""

import numpy as np

from rymi_server.telephony.bridge.ear import Ear

QUIET, LOUD = bytes(320), np.full(160, 5_000, np.int16).tobytes()
AHEAD_S, LONGEST_S = 0.025, 0.043


class Line:
    """A frame comes every 20 ms and is due `after_s` later."""

    def __init__(self, after_s: float) -> None:
        self.after_s = after_s
        self.now = 0.0
        self.ear = Ear(lambda: self.now)
        self.taken = 0
        self.left_out = 0

    def run(self, seconds: float, frame: bytes) -> None:
        for _ in range(round(seconds / 0.02)):
            came_at = self.now
            self.ear.hear(frame)
            self.now = came_at + self.after_s
            self.left_out += self.ear.catch_up(self.now, AHEAD_S, LONGEST_S)
            self.taken += self.ear.take(self.now) is not None
            self.now = came_at + 0.02


class TestAVoiceThatLiesTooLong:
    def test_leaves_out_a_frame_without_speech_after_a_second(self) -> None:
        line = Line(after_s=0.019)
        line.run(0.98, QUIET)
        assert line.ear.dropped == 0
        line.run(0.04, QUIET)
        assert (line.ear.dropped, line.left_out) == (1, 1)

    def test_keeps_all_that_is_said(self) -> None:
        line = Line(after_s=0.019)
        line.run(3, LOUD)
        assert (line.ear.dropped, line.taken) == (0, 150)
        line.run(0.02, QUIET)
        assert line.ear.dropped == 1

    def test_is_left_alone_where_the_next_frame_would_then_be_late(self) -> None:
        line = Line(after_s=0.015)
        line.run(3, QUIET)
        assert (line.ear.dropped, line.taken) == (0, 150)

    def test_catches_up_at_once_after_a_jam(self) -> None:
        line = Line(after_s=0.0)
        for _ in range(3):
            line.ear.hear(QUIET)
        assert line.ear.catch_up(line.now, AHEAD_S, LONGEST_S)
        assert line.ear.dropped == 1

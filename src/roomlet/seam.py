"""Two streams of a publisher as one: what a client sends under a new name, or after a mute, goes on where it stopped.

A listener knows a track by one SSRC for as long as it is subscribed. Numbers that fell back would be taken for late
packets and dropped, and none may be used for two packets, because the cipher's safety rests on that.
"""

WRAP, CLOCK_WRAP = 1 << 16, 1 << 32
GAP = 16
"""Numbers left out at the seam, since the last packet before it may have overtaken some that had higher ones."""


class Seam:
    __slots__ = ("_clock", "_sequence")

    def __init__(self, newest: bytes, first: bytes, ticks: int, gap: int = GAP) -> None:
        """`newest` and `first` are sequence and timestamp as they stand in a packet, `ticks` the time between them."""
        self._sequence = _sequence(newest) + gap - _sequence(first)
        self._clock = _clock(newest[2:]) + ticks - _clock(first[2:])

    def numbers(self, own: bytes) -> bytes:
        sequence = (_sequence(own) + self._sequence) % WRAP
        return sequence.to_bytes(2, "big") + self._time(own[2:])

    @classmethod
    def after_mute(cls, newest: bytes, last_own: bytes, first: bytes) -> "Seam":
        """Over what one stream sent in vain between `last_own`, which went out as `newest`, and `first`. Its clock is
        right, and where it sent next to nothing so are its numbers."""
        skipped = (_sequence(first) - _sequence(last_own)) % WRAP
        return cls(newest, first, _clock(first[2:]) - _clock(last_own[2:]), min(skipped or GAP, GAP))

    def own(self, sequence: int) -> int:
        """The number under which the publisher sent what went out as `sequence`."""
        return (sequence - self._sequence) % WRAP

    def clock(self, own: bytes) -> bytes:
        """What a sender report says: wall time in eight bytes, then the stream's."""
        return own[:8] + self._time(own[8:])

    def _time(self, own: bytes) -> bytes:
        return ((_clock(own) + self._clock) % CLOCK_WRAP).to_bytes(4, "big")


def _sequence(numbers: bytes) -> int:
    return (numbers[0] << 8) | numbers[1]


def _clock(four: bytes) -> int:
    return int.from_bytes(four[:4], "big")

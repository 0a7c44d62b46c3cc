"""What arrived of one stream and what did not, counted as RFC 3550 counts it. Time is an argument."""

from roomlet import rtcp

MOST_MISSING = 32
"""A longer gap is a pause or a new start, not loss worth repairing."""
MOST_ASKED = 3
OLDEST_ASKED = 64
NONE_YET = -2
"""Not -1, which the first of all numbers would follow."""


class Reception:
    __slots__ = (
        "_base",
        "_cycles",
        "_expected_before",
        "_highest",
        "_middle_ntp",
        "_missing",
        "_received",
        "_received_before",
        "_reported_at",
        "fraction_lost",
    )

    def __init__(self) -> None:
        self.fraction_lost = 0.0
        self._base = self._highest = NONE_YET
        self._cycles = 0
        self._received = 0
        self._expected_before = self._received_before = 0
        self._middle_ntp = 0
        self._reported_at = 0.0
        self._missing: dict[int, int] = {}

    def see(self, sequence: int) -> int:
        """Returns how many packets before this one are missing, if it is the newest."""
        self._received += 1
        if sequence == self._highest + 1:
            self._highest = sequence
            return 0
        if self._highest == NONE_YET:
            self._base = self._highest = sequence
            return 0
        step = (sequence - self._highest) & 0xFFFF
        if step >= 0x8000 or step == 0:
            self._missing.pop(sequence, None)
            return 0
        skipped = step - 1
        if 0 < skipped < MOST_MISSING:
            if len(self._missing) > 4 * MOST_MISSING:
                self._missing.clear()
            for distance in range(1, step):
                self._missing[(self._highest + distance) & 0xFFFF] = 0
        if sequence < self._highest:
            self._cycles += 0x10000
        self._highest = sequence
        return skipped if skipped < MOST_MISSING else 0

    def see_report(self, middle_ntp: int, now: float) -> None:
        self._middle_ntp, self._reported_at = middle_ntp, now

    def to_ask_again(self) -> list[int]:
        """Packets worth one more request. Each is asked for a few times, and not once it is old."""
        asked = []
        for sequence, times in list(self._missing.items()):
            if times >= MOST_ASKED or (self._highest - sequence) & 0xFFFF > OLDEST_ASKED:
                del self._missing[sequence]
            else:
                self._missing[sequence] = times + 1
                asked.append(sequence)
        return asked

    def report(self, ssrc: int, now: float) -> bytes | None:
        """A receiver report over the time since the last one; None before the first packet."""
        if self._highest == NONE_YET:
            return None
        highest = self._cycles + self._highest
        expected = highest - self._base + 1
        new_expected = expected - self._expected_before
        new_received = self._received - self._received_before
        self._expected_before, self._received_before = expected, self._received
        fraction = max(0, min(255, 256 * (new_expected - new_received) // new_expected)) if new_expected > 0 else 0
        self.fraction_lost = fraction / 256
        delay = int((now - self._reported_at) * 65536) if self._middle_ntp else 0
        lost = max(0, expected - self._received)
        return rtcp.receiver_report(ssrc, fraction, lost, highest, self._middle_ntp, delay)

"""How loud each side of a stereo recording was, 20 ms by 20 ms: its outline for players, and when there was sound.

Pure, and without numpy: it is fed with the samples as they go by.
"""

import math
import sys
from array import array
from typing import Any

SIDES = ("people", "agent")
_TICK_MS = 20
_FULL = 32_768
_MOST_POINTS = 2_000
# Levels are whole decibels below full scale; this one is silence.
_SILENT = 100
# What is below this nobody takes for speech, and a side's own noise raises the bar.
_QUIETEST_SPEECH = 48
_ABOVE_NOISE = 8
_NOISE_PERCENTILE = 0.2
_QUIETEST_PERCENTILE = 0.03
# Noise is always alike; what is quiet now and then is somebody who hardly pauses.
_NOISE_VARIES = 6
_LOUD_PERCENTILE = 0.98
_NEAR_LOUDEST = 20
# Pauses inside a word and between words; and clicks.
_BRIDGED_MS = 240
_SHORTEST_MS = 60


class Loudness:
    """`expected_ms` decides how coarse the outline is."""

    def __init__(self, rate: int, expected_ms: int) -> None:
        self._rate = rate
        self._tick = rate * _TICK_MS // 1000
        self._levels = (bytearray(), bytearray())
        ticks = max(1, expected_ms // _TICK_MS)
        self._ticks_a_point = max(1, math.ceil(ticks / _MOST_POINTS))
        self._point = [0, 0, 0, 0]
        self._points: list[int] = []
        self._rest = b""

    def push(self, block: bytes) -> None:
        """Interleaved 16-bit samples, two channels, of any number."""
        block = self._rest + block
        size = self._tick * 4
        whole = len(block) - len(block) % size
        for start in range(0, whole, size):
            self._push_tick(block[start : start + size])
        self._rest = block[whole:]

    def _push_tick(self, tick: bytes) -> None:
        if tick.count(0) == len(tick):
            for side in (0, 1):
                self._levels[side].append(_SILENT)
        else:
            samples = array("h", tick)
            if sys.byteorder == "big":
                samples.byteswap()
            for side in (0, 1):
                own = samples[side::2]
                low, high = min(own), max(own)
                self._levels[side].append(_below_full(max(high, -low)))
                self._point[2 * side] = min(self._point[2 * side], low)
                self._point[2 * side + 1] = max(self._point[2 * side + 1], high)
        if len(self._levels[0]) % self._ticks_a_point == 0:
            self._points += [value >> 8 for value in self._point]
            self._point = [0, 0, 0, 0]

    def outline(self) -> dict[str, Any]:
        """As audiowaveform writes it, which players of the web read: pairs of lowest and highest, left then right."""
        return {
            "version": 2,
            "channels": 2,
            "sample_rate": self._rate,
            "samples_per_pixel": self._ticks_a_point * self._tick,
            "bits": 8,
            "length": len(self._points) // 4,
            "data": self._points,
        }

    def speech(self, side: str) -> list[tuple[int, int]]:
        """When there was sound on a side, from and until, in milliseconds."""
        levels = self._levels[SIDES.index(side)]
        most = _loud_enough(levels)
        stretches: list[tuple[int, int]] = []
        for index, level in enumerate(levels):
            if level > most:
                continue
            begins, ends = index * _TICK_MS, (index + 1) * _TICK_MS
            if stretches and begins - stretches[-1][1] < _BRIDGED_MS:
                stretches[-1] = (stretches[-1][0], ends)
            else:
                stretches.append((begins, ends))
        return [each for each in stretches if each[1] - each[0] >= _SHORTEST_MS]


def _below_full(peak: int) -> int:
    return min(_SILENT, round(-20 * math.log10(peak / _FULL))) if peak else _SILENT


def _loud_enough(levels: bytearray) -> int:
    """Decibels below full scale at which a tick counts as sound: well above what a side's quietest fifth is like."""
    quietest_first = sorted(levels, reverse=True)
    if not quietest_first or quietest_first[-1] == _SILENT:
        return 0
    noise = quietest_first[int(len(quietest_first) * _NOISE_PERCENTILE)]
    quietest = quietest_first[int(len(quietest_first) * _QUIETEST_PERCENTILE)]
    loudest = quietest_first[int(len(quietest_first) * _LOUD_PERCENTILE)]
    above_noise = noise - _ABOVE_NOISE
    if quietest - noise <= _NOISE_VARIES and above_noise >= loudest:
        return min(_QUIETEST_SPEECH, above_noise)
    # However seldom it is quiet: what comes near the loudest is sound.
    return min(_QUIETEST_SPEECH, max(above_noise, loudest + _NEAR_LOUDEST))

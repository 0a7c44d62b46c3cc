"""The silence before an answer's first sound, which some voices make for seven tenths of a second, is not waited for.

Only the first of an answer is looked at: what comes between its sentences are the pauses that the voice wants.
"""

from typing import Final

import numpy as np

_LOUD: Final = 100  # 50 dB below the loudest sample that there is.
_KEPT_S: Final = 0.01
# Who has a voice wait for longer means it.
_MOST_S: Final = 1.0


class LeadIn:
    """Mono of 16 bit at `rate`."""

    def __init__(self, rate: int) -> None:
        self._kept = round(rate * _KEPT_S) * 2
        self._most = round(rate * _MOST_S) * 2
        self._taken = 0
        self._silence = b""
        self.over = False

    def after(self, pcm: bytes) -> bytes:
        """What is to be played of what the voice has made next."""
        if self.over:
            return pcm
        pcm = self._silence + pcm
        samples = np.frombuffer(pcm, np.int16)
        loud = np.flatnonzero((samples > _LOUD) | (samples < -_LOUD))
        self.over = len(loud) > 0
        silent = int(loud[0]) * 2 if self.over else len(pcm)
        taken = min(max(0, silent - self._kept), self._most - self._taken)
        self._taken += taken
        if self.over or self._taken == self._most:
            self.over, self._silence = True, b""
            return pcm[taken:]
        self._silence = pcm[taken:]
        return b""

    def rest(self) -> bytes:
        """What is left of an answer in which there is no sound."""
        self.over, left, self._silence = True, self._silence, b""
        return left

"""Everybody's sound on one time line: lines deliver when they like, a tick takes 20 ms of each."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rymi_server.runtime.recording.recorder import TICK

Samples = NDArray[np.int16]
_PRIMED = 2  # Ticks that wait before a line is taken from, so that its jitter makes no holes.
_MOST_BEHIND = 10
SILENCE: Samples = np.zeros(TICK, np.int16)


@dataclass(slots=True)
class _Line:
    blocks: deque[Samples] = field(default_factory=deque)
    rest: bytes = b""
    running: bool = False


@dataclass(slots=True)
class Mixer:
    _lines: dict[str, _Line] = field(default_factory=dict)

    def push(self, identity: str, pcm: bytes) -> None:
        line = self._lines.setdefault(identity, _Line())
        line.rest += pcm
        size = TICK * 2
        while len(line.rest) >= size:
            line.blocks.append(np.frombuffer(line.rest[:size], np.int16))
            line.rest = line.rest[size:]
        while len(line.blocks) > _MOST_BEHIND:
            line.blocks.popleft()
        line.running = line.running or len(line.blocks) >= _PRIMED

    def forget(self, identity: str) -> None:
        self._lines.pop(identity, None)

    def take(self) -> tuple[Samples, dict[str, Samples]]:
        """The next 20 ms: mixed, and of each who is heard."""
        each: dict[str, Samples] = {}
        for identity, line in self._lines.items():
            if line.running and line.blocks:
                each[identity] = line.blocks.popleft()
            else:
                line.running = False
        return _mixed(list(each.values())), each


def _mixed(blocks: list[Samples]) -> Samples:
    if not blocks:
        return SILENCE
    if len(blocks) == 1:
        return blocks[0]
    total = np.sum([block.astype(np.int32) for block in blocks], axis=0)
    mixed: Samples = np.clip(total, -32_768, 32_767).astype(np.int16)
    return mixed

"""The carrier's play-out buffer: audio goes in at any speed and comes out in real time, 20 ms at a tick."""

from collections import deque
from typing import Protocol

from carrierbox.line.g711 import FRAME, FRAME_MS, RATE, SILENCE

MOST_MARKS = 1000


class Mark(Protocol):
    """A place in the audio. It is told once everything before it has been played, or never if it was cleared."""

    def reached(self) -> None: ...


class PlayOut:
    """Mu-law audio with marks between. The one who ticks it decides what time it is.

    A gap is a time between two pieces of audio in which there was nothing to play: frames that came late, or a pause.
    """

    def __init__(self, capacity_ms: int) -> None:
        self._capacity = capacity_ms * RATE // 1000
        self._queue: deque[bytes | Mark] = deque()
        self._keys = bytearray()
        self._passed: list[Mark] = []
        self._size = 0
        self._marks = 0
        self._playing = False
        self._empty_ticks: int | None = None
        self.dropped = 0
        self.gaps = 0
        self.gap_ms = 0

    @property
    def buffered_ms(self) -> int:
        return self._size * 1000 // RATE

    @property
    def filled(self) -> float:
        return self._size / self._capacity

    def push(self, audio: bytes) -> None:
        """Queue audio. What finds no room is lost, as it is at a carrier."""
        kept = audio[: max(0, self._capacity - self._size)]
        self.dropped += len(audio) - len(kept)
        if self._empty_ticks:
            self.gaps += 1
            self.gap_ms += self._empty_ticks * FRAME_MS
        self._empty_ticks = 0
        last = self._queue[-1] if self._queue else None
        if isinstance(last, bytes) and len(last) < FRAME:
            self._queue[-1] = last + kept
        elif kept:
            self._queue.append(kept)
        self._size += len(kept)

    def press(self, sound: bytes) -> None:
        """Key tones do not wait behind speech: speech waits until they are over."""
        room = max(0, self._capacity - len(self._keys))
        self._keys += sound[:room]

    def mark(self, mark: Mark) -> bool:
        """Put a mark behind all audio so far; with nothing left to play before it, it is reached at once.

        False if there are too many marks already: this one is forgotten.
        """
        if not (self._queue or self._playing or self._passed):
            mark.reached()
            return True
        if self._marks >= MOST_MARKS:
            return False
        self._marks += 1
        self._queue.append(mark)
        return True

    def clear(self) -> list[Mark]:
        """Forget all audio that was not played yet. Returns the marks that stood in it."""
        pending = self._passed + [item for item in self._queue if not isinstance(item, bytes)]
        self._queue.clear()
        self._passed = []
        self._keys.clear()
        self._size = self._marks = 0
        return pending

    def tick(self) -> bytes:
        """The next 20 ms. Marks whose audio ended with the 20 ms before are reached."""
        for mark in self._passed:
            mark.reached()
        self._passed = []
        if self._keys:
            sound = bytes(self._keys[:FRAME])
            del self._keys[:FRAME]
            self._playing = True
            return sound.ljust(FRAME, SILENCE[:1])
        frame = bytearray()
        while self._queue:
            head = self._queue[0]
            if isinstance(head, bytes):
                if len(frame) == FRAME:
                    break
                self._take(head, frame)
                continue
            self._queue.popleft()
            self._marks -= 1
            if frame:
                self._passed.append(head)
            else:
                head.reached()
        self._playing = bool(frame)
        if not frame and self._empty_ticks is not None:
            self._empty_ticks += 1
        return bytes(frame).ljust(FRAME, SILENCE[:1])

    def _take(self, head: bytes, frame: bytearray) -> None:
        wanted = FRAME - len(frame)
        frame += head[:wanted]
        self._size -= min(wanted, len(head))
        if len(head) > wanted:
            self._queue[0] = head[wanted:]
        else:
            self._queue.popleft()

"""WAV files that grow, written by one thread for all of them, so that no disk ever holds up a call."""

import os
import queue
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from rymi_server.foundation.sound.wav import HEADER_BYTES, Shape, header

log = structlog.get_logger(__name__)

_HEADER_EVERY_S: Final = 1.0
# Some minutes of sound. A disk that stands still for longer loses what comes after.
_MOST_WAITING: Final = 4_000


@dataclass(frozen=True, slots=True)
class _Write:
    path: Path
    shape: Shape
    at: int
    sound: bytes


class WavWriter:
    """Never raises into the call: what could not be written is logged, counted, and left out."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[_Write | None] = queue.Queue(_MOST_WAITING)
        self._files: dict[Path, _Open] = {}
        self.lost_writes = 0
        self._thread = threading.Thread(target=self._write_all, name="recording", daemon=True)
        self._thread.start()

    def write(self, path: Path, shape: Shape, at: int, sound: bytes) -> None:
        """Put `sound` at so many bytes after the header. What lies between is silence."""
        try:
            self._waiting.put_nowait(_Write(path, shape, at, sound))
        except queue.Full:
            self.lost_writes += 1

    def close(self, wait_s: float = 10.0) -> bool:
        """Finish all files. False if the disk did not take everything in time; the files can be repaired then."""
        try:
            self._waiting.put(None, timeout=wait_s)
        except queue.Full:
            return False
        self._thread.join(wait_s)
        return not self._thread.is_alive() and not self.lost_writes

    def _write_all(self) -> None:
        while (write := self._waiting.get()) is not None:
            try:
                self._open(write).write(write.at, write.sound)
            except OSError as error:
                self.lost_writes += 1
                if self.lost_writes == 1:
                    log.error("recording_not_written", error=str(error))
        for file in self._files.values():
            try:
                file.close()
            except OSError as error:
                self.lost_writes += 1
                log.error("recording_not_written", error=str(error))

    def _open(self, write: _Write) -> "_Open":
        if write.path not in self._files:
            self._files[write.path] = _Open(write.path, write.shape)
        return self._files[write.path]


class _Open:
    def __init__(self, path: Path, shape: Shape) -> None:
        self._shape = shape
        self._file = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._held = 0
        self._said_at = 0.0
        try:
            self._say()
        except OSError:
            # It is tried again with the next sound.
            os.close(self._file)
            raise

    def write(self, at: int, sound: bytes) -> None:
        _write_whole(self._file, sound, HEADER_BYTES + at)
        self._held = max(self._held, at + len(sound))
        if time.monotonic() - self._said_at >= _HEADER_EVERY_S:
            self._say()

    def close(self) -> None:
        self._say()
        os.fsync(self._file)
        os.close(self._file)

    def _say(self) -> None:
        """Let the header say what the file holds by now."""
        _write_whole(self._file, header(self._shape, self._held), 0)
        self._said_at = time.monotonic()


def _write_whole(file: int, data: bytes, at: int) -> None:
    """A disk that is nearly full may take a part only."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written

"""The worker's end: reads messages from the socket it was started with, until its owner is gone."""

import select
import signal
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Final

from rymi_server.speech_engines.workers.wire import HEAD, BrokenWire, Kind, Message, head

_READ_BYTES: Final = 65_536
_MOST_WORDS: Final = 500


class Line:
    """Blocking. `ask_ahead` looks at what has already come, without waiting, for those who may be stopped."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._read = bytearray()
        self._messages: list[Message] = []

    def send(self, message: Message) -> None:
        self._socket.sendall(message.encode())

    def receive(self) -> Message | None:
        """The next message; None once the owner has hung up."""
        while not self._messages:
            if not self._read_more():
                return None
        return self._messages.pop(0)

    def ask_ahead(self, wanted: Callable[[Message], bool]) -> bool:
        """Whether such a message waits. The owner having gone counts as one."""
        while select.select([self._socket], [], [], 0)[0]:
            if not self._read_more():
                return True
        return any(wanted(message) for message in self._messages)

    def _read_more(self) -> bool:
        try:
            came = self._socket.recv(_READ_BYTES)
        except ConnectionResetError:
            return False
        if not came:
            return False
        self._read += came
        while len(self._read) >= HEAD.size:
            length, kind, stream = head(bytes(self._read[: HEAD.size]))
            end = HEAD.size + length
            if len(self._read) < end:
                break
            self._messages.append(Message(kind, stream, bytes(self._read[HEAD.size : end])))
            del self._read[:end]
        return True


class _Confessing:
    """Tells the owner why nothing could be begun; whatever it was goes on to the top."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __enter__(self) -> None:
        """Nothing has gone wrong yet."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is not None:
            why = " ".join(f"{type(error).__name__}: {error}".split())[:_MOST_WORDS]
            self._line.send(Message(Kind.FAILED, 0, why.encode()))


def serve(descriptor: int, work: Callable[[Line], Callable[[Message], None]]) -> None:
    """Be a worker on this socket. Ctrl-C in a terminal is the owner's to hear: it hangs up when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(fileno=descriptor) as connected:
        line = Line(connected)
        try:
            with _Confessing(line):
                do = work(line)
            while (message := line.receive()) is not None:
                do(message)
        except (BrokenPipeError, ConnectionResetError, BrokenWire):
            # The owner is gone, or is no owner of ours.
            return

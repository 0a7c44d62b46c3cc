"""One media socket: bounded both ways, so that a carrier that stalls or floods costs its own call and no more."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed

from rymi_server.telephony.carriers.media import MediaEvent, MediaWire, Message, Opened, Stopped, Unread

LARGEST_MESSAGE = 65_536
# Half a second of audio may wait in the process; what the kernel holds is bounded by the socket's buffer.
MOST_AUDIO_WAITING = 25
_MOST_WAITING = 200
_OPENS_WITHIN_S = 5.0
# Carriers send fifty messages a second, and after a stall all of them at once.
_BURST, _PER_SECOND = 2_000, 150
_BROKEN_AT_MOST = 50
SILENCE_S = 15.0
# How closely silence is watched: moving the alarm with every message would cost more than reading it.
_WATCHED_EVERY = 1 / 8
POLICY_VIOLATION, GOING_AWAY = 1008, 1001


class SocketEnd(StrEnum):
    """How a socket ended, as far as this end can see."""

    # With a farewell.
    CLOSED = "closed"
    # Without one.
    LOST = "lost"
    SILENT = "silent"
    FLOODED = "flooded"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Ended:
    how: SocketEnd


class Allowance:
    """How many messages may still come. Pure."""

    def __init__(self, now: float) -> None:
        self._left, self._at = float(_BURST), now

    def takes(self, now: float) -> bool:
        self._left = min(_BURST, self._left + (now - self._at) * _PER_SECOND) - 1
        self._at = now
        return self._left >= 0


class MediaSocket:
    """`silence_s` without a message, and it counts as lost."""

    def __init__(self, connection: ServerConnection, wire: MediaWire, silence_s: float = SILENCE_S) -> None:
        self.wire = wire
        self._silence_s = silence_s
        self.dropped = 0
        self._connection = connection
        self._outbox: deque[tuple[bool, Message]] = deque()
        self._wake = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance(self._loop.time())
        self._broken = 0
        self.closed = asyncio.Event()

    @property
    def waiting_frames(self) -> int:
        return sum(is_audio for is_audio, _ in self._outbox)

    async def opening(self) -> Opened | None:
        """How the carrier begins; None where it does not, in time. Audio before that is not worth keeping."""
        try:
            async with asyncio.timeout(_OPENS_WITHIN_S):
                while True:
                    event = await self._next()
                    if isinstance(event, Opened):
                        return event
                    if isinstance(event, Ended):
                        return None
        except TimeoutError:
            return None

    async def listen(self, hear: Callable[[MediaEvent], None]) -> SocketEnd:
        """Tell `hear` what the carrier says until it says no more. How the socket ended."""
        every = self._silence_s * _WATCHED_EVERY
        try:
            async with asyncio.timeout(self._silence_s) as silence:
                watched_at = self._loop.time()
                while True:
                    event = await self._next()
                    match event:
                        case Ended(how=how):
                            return how
                        case Stopped():
                            return SocketEnd.CLOSED
                    if (now := self._loop.time()) - watched_at > every:
                        silence.reschedule(now + every + self._silence_s)
                        watched_at = now
                    hear(event)
        except TimeoutError:
            return SocketEnd.SILENT

    async def _next(self) -> MediaEvent | Ended:
        try:
            message = await self._connection.recv()
        except ConnectionClosed as closed:
            return Ended(SocketEnd.CLOSED if closed.rcvd is not None else SocketEnd.LOST)
        if not self._allowance.takes(self._loop.time()):
            return Ended(SocketEnd.FLOODED)
        event = self.wire.read(message)
        if isinstance(event, Unread) and event.broken:
            self._broken += 1
            if self._broken > _BROKEN_AT_MOST:
                return Ended(SocketEnd.GARBAGE)
        return event

    def play(self, frame: bytes) -> None:
        """Send audio. Where the carrier does not keep up, the oldest that waits is given up."""
        if len(self._outbox) >= MOST_AUDIO_WAITING and self.waiting_frames >= MOST_AUDIO_WAITING:
            oldest = next(at for at, (is_audio, _) in enumerate(self._outbox) if is_audio)
            del self._outbox[oldest]
            self.dropped += 1
        self._put(True, self.wire.play(frame))

    def mark(self, name: str) -> None:
        self._put(False, self.wire.mark(name))

    def press(self, digits: str) -> bool:
        """Whether this carrier's socket has a word for keys."""
        message = self.wire.press(digits)
        if message is not None:
            self._put(False, message)
        return message is not None

    def clear(self) -> None:
        """Nothing that was sent and not yet played shall be heard."""
        self.forget_audio()
        self._put(False, self.wire.clear())

    def forget_audio(self) -> None:
        self._outbox = deque(each for each in self._outbox if not each[0])

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        await self._connection.close(code, reason)
        self.closed.set()

    def _put(self, is_audio: bool, message: Message) -> None:
        if not self._outbox and not self._connection.transport.get_write_buffer_size():
            # Nothing waits anywhere, so this does not either.
            broadcast((self._connection,), message)
            return
        if len(self._outbox) >= _MOST_WAITING:
            return
        self._outbox.append((is_audio, message))
        self._wake.set()
        if self._sending is None:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while True:
                while self._outbox:
                    _, message = self._outbox.popleft()
                    await self._connection.send(message)
                self._wake.clear()
                await self._wake.wait()
        except ConnectionClosed:
            return  # Whoever reads is told how it ended.

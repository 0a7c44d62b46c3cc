"""One media socket: what the phone says goes out in real time, what the application sends are orders."""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable
from enum import StrEnum

import aiohttp

from carrierbox.calls.carrier import Audio, BadMessage, ClearOrder, Ignored, MarkOrder, Message, PressOrder, Wire
from carrierbox.calls.conversation import Conversation
from carrierbox.clock import Clock, sleep
from carrierbox.delivery.faults import Act, Fault
from carrierbox.line.condition import Frame
from carrierbox.line.g711 import FRAME_MS, SILENCE
from carrierbox.line.tones import PAIRS, PAUSES, keys

MOST_WAITING = 250
FAREWELL_S = 2.0
ABANDONED_AFTER_S = 10.0
# Not a code that can be sent: it is what the other side sees when a connection is gone.
ABNORMAL_CLOSE = 1006
NOTED_AT_MOST = 20
# The first bytes of a masked text frame of a thousand.
TORN_FRAME = b"\x81\xfe\x03\xe8" + bytes(104)
LEVELS = (0.3, 0.6, 0.9)


class ClosedBy(StrEnum):
    APPLICATION = "application"
    CARRIER = "carrier"


class AppMark:
    """A mark of the application's in the play-out buffer."""

    def __init__(self, session: "MediaSession", name: object) -> None:
        self._session = session
        self.name = name

    def reached(self) -> None:
        self._session.played(self.name)


class MediaSession:
    """Lives as long as the socket. Bounded both ways: a socket that does not read loses the oldest frames."""

    def __init__(
        self,
        wire: Wire,
        conversation: Conversation,
        clock: Clock,
        pending_fault: Callable[[], Fault | None],
        degraded: Callable[[str], None],
    ) -> None:
        self._wire = wire
        self._conversation = conversation
        self._clock = clock
        self._pending_fault = pending_fault
        self._degraded = degraded
        self._began = conversation.number
        self._outbox: deque[Message] = deque(wire.opening())
        self._wake = asyncio.Event()
        self._finishing = False
        self._over = asyncio.Event()
        self._stalled_until = 0.0
        self._level = 0
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._ignored = 0
        self._frames_sent = 0
        self._frames_dropped = 0
        self._gaps_before = conversation.playout.gaps, conversation.playout.gap_ms

    async def run(self, ws: aiohttp.ClientWebSocketResponse) -> tuple[ClosedBy, str]:
        """Serve the socket to its end. Says who ended it, and why."""
        self._ws = ws
        reading = asyncio.create_task(self._read(ws))
        writing = asyncio.create_task(self._write(ws))
        try:
            await asyncio.wait((reading, writing), return_when=asyncio.FIRST_COMPLETED)
            if self._finishing:
                await asyncio.wait((writing,), timeout=FAREWELL_S)
                return ClosedBy.CARRIER, "the call or its document went on"
            return reading.result() if reading.done() else (ClosedBy.APPLICATION, writing.result())
        finally:
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            if not ws.closed:
                _cut(ws)
            self._over.set()

    async def finish(self) -> None:
        """The carrier's end of the socket: say goodbye, close, and do not wait for ever."""
        if not self._finishing and not self._over.is_set():
            self._finishing = True
            self._outbox.extend(self._wire.closing())
            self._wake.set()
        try:
            async with asyncio.timeout(2 * FAREWELL_S):
                await self._over.wait()
        except TimeoutError:
            if self._ws is not None:
                _cut(self._ws)

    def totals(self) -> dict[str, int]:
        """Frames sent and lost on the way out, and the gaps in what came in."""
        gaps, gap_ms = self._gaps_before
        playout = self._conversation.playout
        return {
            "sent": self._frames_sent,
            "dropped": self._frames_dropped,
            "gaps": playout.gaps - gaps,
            "gap_ms": playout.gap_ms - gap_ms,
        }

    def hear(self, frame: Frame) -> None:
        self._suffer()
        self._frames_sent += 1
        for message in self._wire.speech(frame.number - self._began, frame.sound):
            self._put(message)

    def key(self, digit: str, ms: int) -> None:
        for message in self._wire.key(digit, ms - self._began * FRAME_MS):
            self._put(message)

    def played(self, name: object) -> None:
        for message in self._wire.played(name):
            self._put(message)

    def _put(self, message: Message) -> None:
        if self._finishing:
            return
        if len(self._outbox) >= MOST_WAITING:
            self._outbox.popleft()
            self._frames_dropped += 1
        self._outbox.append(message)
        self._wake.set()

    def _suffer(self) -> None:
        fault = self._pending_fault()
        if fault is None:
            return
        self._conversation.note("media fault", act=str(fault.act))
        if fault.act in (Act.CUT, Act.TEAR) and self._ws is not None:
            _cut(self._ws, TORN_FRAME if fault.act is Act.TEAR else b"")
        elif fault.act is Act.FLOOD:
            for _ in range(min(MOST_WAITING, fault.ms // FRAME_MS)):
                for message in self._wire.speech(self._conversation.number - self._began, SILENCE):
                    self._put(message)
        elif fault.act is Act.STALL:
            self._stalled_until = self._clock.seconds() + fault.ms / 1000
        elif fault.act is Act.GARBAGE:
            self._put(fault.body or '{"event": "media", "media": {"payl')

    async def _write(self, ws: aiohttp.ClientWebSocketResponse) -> str:
        while True:
            while self._outbox:
                await self._stall()
                message = self._outbox.popleft()
                try:
                    async with asyncio.timeout(ABANDONED_AFTER_S):
                        await (ws.send_str(message) if isinstance(message, str) else ws.send_bytes(message))
                except TimeoutError:
                    return "the application stopped reading"
                except (ConnectionError, aiohttp.ClientError) as error:
                    return f"the connection broke ({type(error).__name__})"
            if self._finishing:
                await ws.close()
                return "closed"
            self._wake.clear()
            await self._wake.wait()

    async def _stall(self) -> None:
        left = self._stalled_until - self._clock.seconds()
        if left > 0:
            await sleep(self._clock, left)

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> tuple[ClosedBy, str]:
        async for message in ws:
            await self._stall()
            if message.type is aiohttp.WSMsgType.ERROR:
                break
            try:
                self._obey(message.data)
            except BadMessage as error:
                self._conversation.note("bad media message", reason=str(error), code=error.carrier_code)
                if error.close_code == ABNORMAL_CLOSE:
                    _cut(ws)
                else:
                    await ws.close(code=error.close_code, message=str(error).encode()[:120])
                return ClosedBy.CARRIER, str(error)
        return ClosedBy.APPLICATION, f"close code {ws.close_code}"

    def _obey(self, message: Message) -> None:
        playout = self._conversation.playout
        match self._wire.read(message):
            case Audio(sound=sound):
                playout.push(sound)
                self._watch_level()
            case MarkOrder(name=name):
                if not playout.mark(AppMark(self, name)):
                    self._ignore("too many marks are waiting")
            case ClearOrder():
                self._clear()
            case PressOrder(digits=digits):
                playout.press(keys("".join(key for key in digits if key in PAIRS or key in PAUSES)))
            case Ignored(why=why):
                self._ignore(why)

    def _ignore(self, why: str) -> None:
        """A note a message would let an application that errs a thousand times a second wash the timeline away."""
        self._ignored += 1
        if self._ignored <= NOTED_AT_MOST:
            self._conversation.note("media message ignored", why=why)

    def _clear(self) -> None:
        playout = self._conversation.playout
        buffered = playout.buffered_ms
        pending = [mark.name for mark in playout.clear() if isinstance(mark, AppMark)]
        self._conversation.note("cleared", unplayed_ms=buffered, marks=len(pending))
        for message in self._wire.cleared(pending):
            self._put(message)

    def _watch_level(self) -> None:
        level = sum(self._conversation.playout.filled >= threshold for threshold in LEVELS)
        if level > self._level:
            self._degraded(f"buffer {round(100 * LEVELS[level - 1])} percent full")
        self._level = level


def _cut(ws: aiohttp.ClientWebSocketResponse, last: bytes = b"") -> None:
    """End the connection as a cable that is pulled does: without a word, or in the middle of one."""
    held: socket.socket | None = ws.get_extra_info("socket")
    if held is None or held.fileno() < 0:
        return
    with socket.socket(fileno=os.dup(held.fileno())) as twin:
        try:
            twin.send(last)
            twin.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

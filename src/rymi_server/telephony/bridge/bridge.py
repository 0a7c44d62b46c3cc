"""One phone in one room: it decides what is heard on either side, from the first socket to the hang-up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from livekit import rtc

from rymi_server.telephony.bridge.beat import TICKS_A_FRAME, Beat
from rymi_server.telephony.bridge.carrier_clock import CLEAR_ABOVE, CarrierClock
from rymi_server.telephony.bridge.guests import BridgeLog, Ending, Guest
from rymi_server.telephony.bridge.keys import Presses, TonesWaiting
from rymi_server.telephony.bridge.measures import Measures
from rymi_server.telephony.bridge.media_socket import GOING_AWAY, MediaSocket, SocketEnd
from rymi_server.telephony.bridge.mixing import mixed
from rymi_server.telephony.bridge.phone_audio import PhoneAudio
from rymi_server.telephony.bridge.room_seat import NOT_ENTERED, RoomSeat
from rymi_server.telephony.bridge.voice import voice_of
from rymi_server.telephony.carriers.media import FRAME_MS, Format, Heard, KeyPressed, MarkPlayed, MediaEvent

log = structlog.get_logger(__name__)

# A socket that broke, or that was stopped because the call follows another document for a moment, may be replaced.
GRACE_S = 4.0
_HOW = {
    SocketEnd.CLOSED: Ending.HUNG_UP,
    SocketEnd.LOST: Ending.CONNECTION_LOST,
    SocketEnd.SILENT: Ending.CONNECTION_LOST,
    SocketEnd.FLOODED: Ending.MISBEHAVED,
    SocketEnd.GARBAGE: Ending.MISBEHAVED,
}


@dataclass
class Bridge:
    """Run once. Sockets are attached one after the other; the room hears one participant throughout."""

    guest: Guest
    form: Format
    new_seat: Callable[["Bridge"], RoomSeat]
    record: BridgeLog
    measures: Measures
    beat: Beat
    socket_expected: bool = False
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _ending: Ending | None = None
    _socket: MediaSocket | None = None
    _grace: asyncio.TimerHandle | None = None

    def __post_init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = CarrierClock()
        self._phone = PhoneAudio(self.form.rate)
        self._voice = voice_of(self.form)
        self._tones = TonesWaiting(self.form.rate, self.form.rate * FRAME_MS // 1000)
        self._presses = Presses()
        self._seat = self.new_seat(self)
        self._ticks = 0
        self._has_played = False

    async def run(self) -> Ending:
        """Until the phone hangs up, the room is closed, or somebody stops it."""
        self.measures.bridges.inc()
        self.beat.follow(self._tick)
        try:
            await self._enter()
            await self._over.wait()
        finally:
            ending = self._ending or Ending.STOPPED
            self._stop_clocks()
            await self._seat.leave()
            if self._socket:
                await self._socket.close(GOING_AWAY)
            self.measures.bridges.dec()
            self.measures.endings.labels(ending).inc()
            self._count_losses()
            await self.record.unbridged(self.guest, ending)
        return ending

    @property
    def phone_delay_ms(self) -> int:
        """How long what the phone says waits here."""
        return self._phone.buffered_ms

    @property
    def waiting_frames(self) -> int:
        """How much audio waits here for the carrier to take it."""
        return self._socket.waiting_frames if self._socket else 0

    @property
    def has_socket(self) -> bool:
        return self._socket is not None

    def end(self, ending: Ending) -> None:
        """The first reason counts."""
        if self._ending is None:
            self._ending = ending
            self._over.set()

    async def carry(self, socket: MediaSocket) -> None:
        """Serve this socket, the only one from now on, to its end."""
        before, self._socket = self._socket, socket
        if self._grace:
            self._grace.cancel()
        self.socket_expected = False
        self._clock.restarted()
        socket.mark(self._clock.opened(self._loop.time()))
        if before is not None:
            log.info("media_socket_replaced", call_id=self.guest.call_id, leg_id=self.guest.leg_id)
            await before.close(GOING_AWAY)
        how = await socket.listen(self._told)
        self._socket_gone(socket, how)
        await socket.close()

    def _told(self, event: MediaEvent) -> None:
        match event:
            case Heard(audio=audio, at_ms=at_ms):
                self._phone.push(self._voice.samples(audio), at_ms)
            case MarkPlayed(mark=name):
                self._clock.played(name, self._loop.time())
            case KeyPressed(digit=digit):
                if self._presses.is_new(digit, self._loop.time()):
                    self._seat.press(digit)

    # --- what the room tells us ---

    def agent_cut(self) -> None:
        now = self._loop.time()
        self._seat.hush_agent(now)
        if self._socket is None:
            return
        self._clock.due(now)
        if self._clock.backlog_frames > CLEAR_ABOVE:
            self._socket.clear()
            self._clock.cleared()
            self.measures.clears.inc()
        else:
            self._socket.forget_audio()

    def keys_wanted(self, digits: str) -> None:
        if self._socket is None or self._socket.press(digits):
            return
        if self._tones.press(digits) < len(digits):
            log.warning("keys_not_pressed", call_id=self.guest.call_id, leg_id=self.guest.leg_id)

    def room_closed(self, reason: str) -> None:
        replaced = reason == rtc.DisconnectReason.Name(rtc.DisconnectReason.DUPLICATE_IDENTITY).lower()
        self.end(Ending.REPLACED if replaced else Ending.ROOM_CLOSED)

    # --- inside ---

    async def _enter(self) -> None:
        try:
            await self._seat.enter()
        except NOT_ENTERED as error:
            log.warning("room_not_entered", call_id=self.guest.call_id, leg_id=self.guest.leg_id, error=str(error))
            self.end(Ending.NO_ROOM)
            return
        if not await self.record.bridged(self.guest):
            self.end(Ending.ROOM_CLOSED)

    def _socket_gone(self, socket: MediaSocket, how: SocketEnd) -> None:
        if socket is not self._socket:
            return  # It was replaced.
        self.measures.withheld.labels("socket").inc(socket.dropped)
        self._socket = None
        ending = _HOW[how]
        if self.socket_expected or how is SocketEnd.LOST:
            self._grace = self._loop.call_later(GRACE_S, self.end, ending)
        else:
            self.end(ending)

    def _tick(self, now: float) -> None:
        self._ticks += 1
        if self._ticks % TICKS_A_FRAME == 0:
            self._seat.say(self._phone.pop())
        if self._socket is not None:
            self._play(self._socket, now)

    def _play(self, socket: MediaSocket, now: float) -> None:
        due = self._clock.due(now)
        if due > 1 and self._clock.is_dry and self._has_played:
            self.measures.late.inc()
            self._clock.fell_short(now)
        for _ in range(due):
            frame = self._next_frame(now)
            if frame is None:
                return
            socket.play(frame)
            self.measures.frames.inc()
            self._has_played = True
            if name := self._clock.sent(now):
                socket.mark(name)

    def _next_frame(self, now: float) -> bytes | None:
        """None while it is worth waiting for a voice that is due."""
        tone = self._tones.take()
        if tone is not None:
            return self._voice.frame(tone)
        ears = self._seat.ears
        longest_s = self._clock.longest_s(now)
        for ear in ears:
            if ear.catch_up(now, self._clock.ahead_s, longest_s):
                self._clock.left_out(now)
        late = [ear for ear in ears if ear.is_late(now)]
        if late and not self._clock.at_last_moment:
            return None
        if late:
            self.measures.missing.inc()
            self._clock.fell_short(now)
        heard = [samples for ear in ears if (samples := ear.take(now)) is not None]
        whole = mixed(heard)
        return self._voice.silence if whole is None else self._voice.frame(whole)

    def _stop_clocks(self) -> None:
        self.beat.leave(self._tick)
        if self._grace:
            self._grace.cancel()

    def _count_losses(self) -> None:
        self.measures.withheld.labels("phone").inc(self._phone.dropped_ms / FRAME_MS)
        self.measures.concealed.inc(self._phone.concealed_ms / 1000)
        self.measures.marks_lost.inc(self._clock.marks_lost)

"""Both directions of one answered call, 20 ms at a time: what is played to the phone, and what comes out of it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from carrierbox.callees.party import Party
from carrierbox.calls.call import Call
from carrierbox.clock import Clock
from carrierbox.line.condition import Frame, Line
from carrierbox.line.g711 import FRAME_MS, SILENCE
from carrierbox.line.playout import PlayOut
from carrierbox.line.tones import keys

BEEP_NOTE = "says: (beep)"


class Listener(Protocol):
    """Whoever gets the phone's sound: a media socket, or the phone that this one was connected to."""

    def hear(self, frame: Frame) -> None: ...

    def key(self, digit: str, ms: int) -> None: ...


class Bridge:
    """Plays one phone's sound to another."""

    def __init__(self, other: "Conversation") -> None:
        self._other = other

    def hear(self, frame: Frame) -> None:
        self._other.playout.push(frame.sound or SILENCE)

    def key(self, digit: str, ms: int) -> None:  # noqa: ARG002 - The listener's promise; a bridge has no clock of its own.
        self._other.playout.press(keys(digit))


class Played:
    """A mark to wait for."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def reached(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()


class Conversation:
    """Runs the line from the answer to the end, whether or not anything is connected to it."""

    def __init__(
        self, call: Call, party: Party, clock: Clock, buffer_ms: int, seed: int, hang_up: Callable[[], None]
    ) -> None:
        self.playout = PlayOut(buffer_ms)
        self.party = party
        self.beeped = asyncio.Event()
        self.number = 0
        self._call = call
        self._clock = clock
        self._line = Line(party.script.condition, seed)
        self._hang_up = hang_up
        self._listeners: list[Listener] = []

    def attach(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def detach(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    async def run(self) -> None:
        """Tick against the clock, not after the work: a late tick is followed by one that is on time."""
        began = self._clock.seconds()
        while True:
            self.tick()
            await self._clock.sleep_until(began + self.number * FRAME_MS / 1000)

    def tick(self) -> None:
        heard = self._line.mar_heard(self.playout.tick())
        self._call.heard.add(heard)
        turn = self.party.tick(heard)
        self._call.spoken.add(turn.sound)
        for note in turn.notes:
            self.note(note)
        if turn.pressed:
            self.note("presses key", digit=turn.pressed)
            for listener in tuple(self._listeners):
                listener.key(turn.pressed, self.number * FRAME_MS)
        for carried in self._line.carry(Frame(self.number, turn.sound)):
            for listener in tuple(self._listeners):
                listener.hear(carried)
        self.number += 1
        if turn.hung_up:
            self._hang_up()

    def note(self, event: str, **detail: object) -> None:
        self._call.note(self._clock.now(), self._clock.seconds(), event, **detail)
        if event == BEEP_NOTE:
            self.beeped.set()

    async def play(self, sound: bytes) -> None:
        """Play this to the phone, and return when it has been played."""
        self.playout.push(sound)
        played = Played()
        self.playout.mark(played)
        await played.wait()

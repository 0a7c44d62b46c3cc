"""A place for a call without a room: people are sound that is fed in, the agent is sound that is kept."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tests.agent.voices import Samples, silence

from rymi_server.runtime.session.hearers import NotInPrivate
from rymi_server.runtime.session.media import Guest, Guests, ShownText
from rymi_server.runtime.speaking.player import RATE as AGENT_RATE

FRAME = 320


class SoundLine:
    """Plays in real time. Keeps the promise of `Line`."""

    def __init__(self) -> None:
        self._until = 0.0
        self._queued: list[tuple[float, bytes]] = []

    @property
    def queued_s(self) -> float:
        return max(0.0, self._until - time.monotonic())

    async def push(self, block: bytes) -> None:
        at = max(self._until, time.monotonic())
        self._queued.append((at, block))
        self._until = at + len(block) / 2 / AGENT_RATE

    def clear(self) -> None:
        now = time.monotonic()
        self._queued = [(at, block) for at, block in self._queued if at < now]
        self._until = now

    def heard(self, since: float = 0.0, level: int = 200) -> list[float]:
        """When the agent was loud."""
        return [
            at for at, block in self._queued if at >= since and np.abs(np.frombuffer(block, np.int16)).max() > level
        ]

    def sound(self) -> bytes:
        return b"".join(block for _, block in self._queued)


@dataclass
class SoundRoom:
    """Keeps the promise of `CallMedia`."""

    line: SoundLine = field(default_factory=SoundLine)
    shown: list[ShownText] = field(default_factory=list)
    signals: list[tuple[float, str, Mapping[str, Any]]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    # Who alone hears the agent from when on.
    hearers: list[tuple[float, str | None]] = field(default_factory=list)
    refuses_privacy: bool = False
    guests: Guests | None = None
    closed: bool = False
    _people: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _to_say: dict[str, list[Samples]] = field(default_factory=dict)

    async def open(self, guests: Guests) -> None:
        self.guests = guests
        guests.listening()

    def show(self, text: ShownText) -> None:
        self.shown.append(text)

    def signal(self, topic: str, payload: Mapping[str, Any]) -> None:
        self.signals.append((time.monotonic(), topic, payload))

    def press(self, keys: str) -> None:
        self.pressed.append(keys)

    def be(self, state: str) -> None:
        self.states.append(state)

    async def speak_to(self, identity: str | None) -> None:
        if identity is not None and self.refuses_privacy:
            raise NotInPrivate
        self.hearers.append((time.monotonic(), identity))

    async def close(self) -> None:
        self.closed = True
        for task in self._people.values():
            task.cancel()

    def enter(self, identity: str, *, observer: bool = False) -> None:
        assert self.guests
        self.guests.came(Guest(identity, f"id-{identity}", observer))
        self.guests.microphone(identity, True)
        self._to_say[identity] = []
        self._people[identity] = asyncio.create_task(self._speak(identity))

    def leave(self, identity: str) -> None:
        assert self.guests
        self._people.pop(identity).cancel()
        self.guests.left(identity)

    def say(self, identity: str, sound: Samples, after_s: float = 0.0) -> float:
        """Return how long it takes."""
        line = np.concatenate([silence(after_s), sound])
        self._to_say[identity].append(line)
        return len(line) / 16_000

    async def _speak(self, identity: str) -> None:
        assert self.guests
        noise = np.random.default_rng(1)
        due = time.monotonic()
        sound = silence(0)
        while True:
            if len(sound) < FRAME and self._to_say[identity]:
                sound = np.concatenate([sound, self._to_say[identity].pop(0)])
            frame, sound = sound[:FRAME], sound[FRAME:]
            heard = np.concatenate([frame, np.zeros(FRAME - len(frame), np.int16)]) + noise.integers(-8, 9, FRAME)
            self.guests.heard(identity, heard.astype(np.int16).tobytes())
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))

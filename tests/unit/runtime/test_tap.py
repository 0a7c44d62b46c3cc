"""Somebody speaks before their recogniser is there, or just as it is."""

import asyncio
from dataclasses import dataclass, field

import pytest

from rymi_server.runtime.hearing.happenings import Happening, WordsHeard
from rymi_server.runtime.hearing.hub import Hub
from rymi_server.runtime.hearing.tap import FRAME_BYTES, Cleaner, Tap, as_it_is
from rymi_server.runtime.turn_taking.signals import Began, Dropped, Ended, EngineUsed, Mode, Signal
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities, EarStream, Expected, Heard, Listeners, Vocabulary

BEGINS, ENDS, DROPS, SILENCE = b"b", b"e", b"d", b"\0"


def frame(letter: bytes) -> bytes:
    return letter * FRAME_BYTES


class Marked:
    """A detector that is told by the first byte of a frame. Keeps the promise of `TurnDetector`."""

    speaking = False
    used = EngineUsed(Mode.BALANCED, "marked", False)

    def push(self, frame: bytes) -> list[Signal]:
        if frame[:1] == BEGINS:
            self.speaking = True
            return [Began(0, 20)]
        if not self.speaking or frame[:1] not in (ENDS, DROPS, SILENCE):
            return []
        self.speaking = False
        return [Dropped(0)] if frame[:1] == DROPS else [Ended(0, 0, "silence", 0, "base")]

    def hear_draft(self, text: str) -> None: ...
    def hear_boundary(self, began: bool) -> None: ...
    def expect(self, expected: Expected | None) -> None: ...

    def trace(self) -> dict[str, float | str]:
        return {}


@dataclass
class LateEar:
    """It takes its time to be there. What it hears are the letters that the frames are made of."""

    there: asyncio.Event = field(default_factory=asyncio.Event)
    fails: int = 0
    fails_as_it_goes: bool = False
    abilities: Abilities = field(default_factory=lambda: Abilities("late"))

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> EarStream:
        await self.there.wait()
        if self.fails:
            self.fails -= 1
            raise EngineFailed("late", "it is told to fail")
        return LateStream(self.fails_as_it_goes)

    async def aclose(self) -> None: ...


class LateStream:
    def __init__(self, fails_as_it_goes: bool) -> None:
        self.fails_as_it_goes = fails_as_it_goes
        self.letters = ""

    def push(self, pcm: bytes) -> None:
        self.letters += pcm[:1].decode()

    async def finish_utterance(self) -> Heard:
        heard, self.letters = self.letters, ""
        return Heard(heard)

    def drop_utterance(self) -> None:
        self.letters = ""

    def expect(self, expected: Expected | None) -> None: ...

    async def aclose(self) -> None:
        if self.fails_as_it_goes:
            raise EngineFailed("late", "it is told to fail as it goes")


@dataclass
class Line:
    ear: LateEar = field(default_factory=LateEar)
    clean: Cleaner = as_it_is
    told: list[Happening] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    now: float = 0.0

    async def open(self) -> Tap:
        hub = Hub(self.told.append, lambda: self.now, lambda: 0)
        complain, now = self.complaints.append, lambda: self.now
        tap = Tap("ann", hub, Marked(), self.ear, Vocabulary(), complain, now, self.clean)
        await tap.open()
        return tap

    @property
    def words(self) -> list[str]:
        return [each.utterance.text for each in self.told if isinstance(each, WordsHeard)]


def says(tap: Tap, letters: str) -> None:
    for letter in letters:
        tap.push(frame(letter.encode()), 0)


async def settles() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class TestWhatIsHeard:
    async def test_is_what_is_left_of_a_frame(self) -> None:
        line = Line(clean=lambda frame: frame.replace(b"x", b"y").replace(b"n", b"b"))
        tap = await line.open()
        line.ear.there.set()
        await settles()
        says(tap, "nxxe")
        await settles()
        assert line.words == ["byye"]


class TestWhatIsSaidBeforeARecogniserIsThere:
    async def test_is_heard_once_it_is(self) -> None:
        line = Line()
        tap = await line.open()
        says(tap, "bxxe")
        await settles()
        assert line.words == []
        line.ear.there.set()
        await settles()
        says(tap, "byye")
        await settles()
        assert line.words == ["bxxe", "byye"]
        await tap.aclose()

    async def test_keeps_its_order_with_what_is_said_meanwhile(self) -> None:
        line = Line()
        tap = await line.open()
        says(tap, "bxebye")
        says(tap, "bz")
        line.ear.there.set()
        await settles()
        says(tap, "ze")
        await settles()
        assert line.words == ["bxe", "bye", "bzze"]
        await tap.aclose()

    async def test_forgets_what_was_no_speech(self) -> None:
        line = Line()
        tap = await line.open()
        says(tap, "bxedbcdbye")
        line.ear.there.set()
        await settles()
        assert line.words == ["bxe", "bye"]
        await tap.aclose()

    @pytest.mark.parametrize("leaves_first", [True, False])
    async def test_is_heard_though_the_person_has_left(self, leaves_first: bool) -> None:
        line = Line()
        tap = await line.open()
        says(tap, "bxx")
        await settles()
        leaving = asyncio.create_task(tap.aclose()) if leaves_first else None
        await settles()
        line.ear.there.set()
        await (leaving or tap.aclose())
        assert line.words == ["bxx"]

    async def test_is_recognised_though_the_recogniser_fails_as_it_goes(self) -> None:
        line = Line(LateEar(fails_as_it_goes=True))
        line.ear.there.set()
        tap = await line.open()
        says(tap, "bxxe")
        await settles()
        await tap.aclose()
        assert line.words == ["bxxe"]

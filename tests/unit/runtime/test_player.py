"""The agent's voice on its way out, on a clock that is told."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from tests.roomlet.waiting import eventually

from rymi_server.runtime.speaking.player import BLOCK_BYTES, Listener, Player

Sleep = Callable[[float], "asyncio.Future[None]"]


@dataclass
class FakeLine:
    """A loudspeaker that plays by the clock that it is given. `blocks` is what it was handed, and when it plays."""

    now: Callable[[], float]
    until: float = 0.0
    blocks: list[tuple[float, bytes]] = field(default_factory=list)
    clears: int = 0

    @property
    def queued_s(self) -> float:
        return max(0.0, self.until - self.now())

    async def push(self, block: bytes) -> None:
        at = max(self.until, self.now())
        self.blocks.append((at, block))
        self.until = at + len(block) / 48_000

    def clear(self) -> None:
        self.clears += 1
        now = self.now()
        # It plays in steps of 10 ms.
        begun = ((at, block[: max(0, math.ceil((now - at) / 0.01)) * BLOCK_BYTES // 2]) for at, block in self.blocks)
        self.blocks = [(at, block) for at, block in begun if block]
        self.until = now


@dataclass
class Heard(Listener):
    told: list[tuple[str, object]] = field(default_factory=list)

    def began(self, at: float) -> None:
        self.told.append(("began", at))

    def cut(self, at: float) -> None:
        self.told.append(("cut", at))

    def ended(self, at: float, heard_s: float, interrupted: bool) -> None:
        self.told.append(("ended", (round(heard_s, 2), interrupted)))


def numbered(count: int) -> bytes:
    """Blocks that can be told apart."""
    return b"".join(bytes([number % 255 + 1]) * BLOCK_BYTES for number in range(count))


@dataclass
class Stage:
    line: FakeLine
    heard: Heard
    player: Player

    async def until(self, condition: Callable[[], object]) -> None:
        await eventually("the player gets there", condition)

    @property
    def sound(self) -> bytes:
        return b"".join(block for _, block in self.line.blocks)


@pytest.fixture
async def stage():
    now = asyncio.get_running_loop().time
    line, heard = FakeLine(now), Heard()
    player = Player(line, heard, now)
    player.start()
    yield Stage(line, heard, player)
    await player.aclose()


class TestThePlayer:
    async def test_plays_a_segment_and_says_how_much_was_heard(self, stage: Stage) -> None:
        stage.player.capture(numbered(5)[:-100])
        stage.player.flush()
        await stage.until(lambda: stage.heard.told and stage.heard.told[-1][0] == "ended")
        assert [each[0] for each in stage.heard.told] == ["began", "ended"]
        assert stage.heard.told[-1] == ("ended", (0.1, False))
        assert stage.sound == numbered(5)[:-100] + bytes(100)
        assert stage.player.left_ms is None

    async def test_hands_over_no_more_than_a_tenth_of_a_second(self, stage: Stage) -> None:
        stage.player.capture(numbered(50))
        most = 0.0
        for _ in range(100):
            await asyncio.sleep(0.002)
            most = max(most, stage.line.queued_s)
        assert 0 < most <= 0.1001

    async def test_pauses_once_and_goes_on_with_the_first_unheard_sample(self, stage: Stage) -> None:
        stage.player.capture(numbered(12))
        stage.player.flush()
        await stage.until(lambda: len(stage.line.blocks) >= 3)
        for _ in range(50):
            stage.player.pause()
        assert stage.line.clears == 1
        handed = len(stage.line.blocks)
        await asyncio.sleep(0.06)
        assert len(stage.line.blocks) == handed
        assert stage.player.left_ms
        stage.player.resume()
        stage.player.resume()
        await stage.until(lambda: stage.heard.told[-1][0] == "ended")
        assert stage.sound == numbered(12)
        assert stage.heard.told[-1] == ("ended", (0.24, False))

    async def test_ends_a_segment_at_once_and_counts_what_was_heard(self, stage: Stage) -> None:
        stage.player.capture(numbered(50))
        await stage.until(lambda: len(stage.line.blocks) >= 3)
        stage.player.clear()
        await stage.until(lambda: stage.heard.told[-1][0] == "ended")
        heard_s, interrupted = stage.heard.told[-1][1]  # type: ignore[misc]
        assert interrupted
        assert heard_s == pytest.approx(len(stage.sound) / 48_000, abs=0.006)

    async def test_ends_a_paused_segment(self, stage: Stage) -> None:
        stage.player.capture(numbered(50))
        await stage.until(lambda: len(stage.line.blocks) >= 3)
        stage.player.pause()
        stage.player.clear()
        await stage.until(lambda: stage.heard.told[-1][0] == "ended")
        stage.player.capture(numbered(3))
        stage.player.flush()
        await stage.until(lambda: stage.heard.told[-1] == ("ended", (0.06, False)))

    async def test_does_nothing_when_nothing_is_said(self, stage: Stage) -> None:
        stage.player.flush()
        stage.player.clear()
        stage.player.pause()
        stage.player.resume()
        await asyncio.sleep(0.01)
        assert not stage.heard.told
        assert not stage.line.clears

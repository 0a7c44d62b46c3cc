"""An ear that was told beforehand what people will say: it stands for a provider at the other end of a network."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Abilities, EarStream, Expected, Heard, Listeners, Vocabulary


@dataclass
class ScriptedEar:
    """Each utterance is the next line, whoever says it. `drafts`: tell it word by word while somebody speaks.

    Of the lines of these numbers (the first is 0) no word is sure enough in the end.
    """

    lines: Sequence[str]
    delay_s: float = 0.02
    drafts: bool = False
    fails: int = 0
    unsure_of: Sequence[int] = ()
    _next: int = 0
    opened: int = 0

    @property
    def abilities(self) -> Abilities:
        return Abilities("scripted", gives_drafts=self.drafts)

    async def listen(self, vocabulary: Vocabulary, listeners: Listeners) -> EarStream:
        if self.fails:
            self.fails -= 1
            raise EngineFailed("scripted", "it is told to fail")
        self.opened += 1
        return _Stream(self, listeners)

    def line(self) -> str:
        self._next += 1
        at = self._next - 1
        return self.lines[at] if at < len(self.lines) and at not in self.unsure_of else ""

    def coming(self) -> str:
        return self.lines[self._next] if self._next < len(self.lines) else ""

    async def aclose(self) -> None: ...


@dataclass
class _Stream:
    ear: ScriptedEar
    listeners: Listeners
    loud: int = 0
    expected: list[Expected | None] = field(default_factory=list)

    def push(self, pcm: bytes) -> None:
        if self.ear.drafts and max(pcm) and max(memoryview(pcm).cast("h")) > 800:
            self.loud += 1
            words = self.ear.coming().split()
            if self.loud % 12 == 0 and self.loud // 12 <= len(words):
                self.listeners.on_draft(" ".join(words[: self.loud // 12]))

    async def finish_utterance(self) -> Heard:
        line, self.loud = self.ear.line(), 0
        await asyncio.sleep(self.ear.delay_s)
        return Heard(line, 1.0, engine="scripted")

    def drop_utterance(self) -> None:
        self.loud = 0

    def expect(self, expected: Expected | None) -> None:
        self.expected.append(expected)

    async def aclose(self) -> None: ...

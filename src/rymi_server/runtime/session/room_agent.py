"""The session's agent: it asks before a turn is answered, and lets only whole, checked sentences through."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from contextlib import aclosing
from typing import Any, Final, Protocol

from livekit import rtc
from livekit.agents import Agent, APIError, FlushSentinel, ModelSettings, llm
from livekit.agents.voice.io import TimedString

from rymi_server.runtime.session.media import SOUND_GOES_FIRST_S
from rymi_server.runtime.session.minds import Mind
from rymi_server.runtime.speaking.lead_in import LeadIn
from rymi_server.runtime.speaking.player import RATE
from rymi_server.runtime.thinking.sentences import SentenceGate
from rymi_server.runtime.thinking.turn_marks import Judged, MarkReader

_WORDS: Final = re.compile(r"\s*\S+\s*|\s+")
_CANNOT_THINK: Final = "Sorry, I cannot think right now. Please say that again in a moment."


class Turns(Protocol):
    """Whose agent it is."""

    @property
    def mind(self) -> Mind: ...

    async def on_turn(self, agent: Agent, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        """Before it is answered. Raise `StopResponse` where it is not to be."""
        ...

    def voice_begins(self) -> None:
        """Something is going to be spoken."""
        ...

    def told_off(self, gate: SentenceGate) -> None: ...

    def judged(self, judged: Judged) -> None:
        """Whether the caller was done, says an answer that was thought of to its end and may never be given."""
        ...


class RoomAgent(Agent):
    """The session's agent; it asks `on_turn` before it answers anything."""

    def __init__(self, instructions: str, chat_ctx: llm.ChatContext, tools: list[Any], turns: Turns) -> None:
        super().__init__(instructions=instructions, chat_ctx=chat_ctx, tools=tools)
        self._turns = turns

    async def on_user_turn_completed(self, turn_ctx: llm.ChatContext, new_message: llm.ChatMessage) -> None:
        await self._turns.on_turn(self, turn_ctx, new_message)

    async def llm_node(
        self, chat_ctx: llm.ChatContext, tools: list[llm.Tool], model_settings: ModelSettings
    ) -> AsyncGenerator[llm.ChatChunk | str | FlushSentinel, None]:
        """What the mind says, in sentences that may be spoken; an apology where it has nothing to say for itself."""
        gate, completion = self._turns.mind.new_gate(), self._turns.mind.completion
        marks = MarkReader(completion.marks) if completion else None
        if completion:
            chat_ctx = _marked(chat_ctx, completion.marks[Judged.DONE])
        said = False
        try:
            async with aclosing(Agent.default.llm_node(self, chat_ctx, tools, model_settings)) as pieces:
                async for piece in pieces:
                    for part in _checked(piece, gate, marks):
                        said = True
                        yield part
        except APIError:
            # The session tells of it by itself. A mind that fails in mid-sentence has made itself heard.
            if said:
                raise
            yield _CANNOT_THINK
        if gate is not None:
            for sentence in [*gate.feed(marks.finish() if marks else ""), *gate.finish()]:
                yield f"{sentence} "
            self._turns.told_off(gate)
        if marks is not None:
            self._turns.judged(marks.judged or Judged.DONE)

    def tts_node(self, text: AsyncIterable[str], model_settings: ModelSettings) -> AsyncGenerator[rtc.AudioFrame, None]:
        self._turns.voice_begins()
        return _without_lead_in(Agent.default.tts_node(self, text, model_settings))

    async def transcription_node(
        self, text: AsyncIterable[str | TimedString], model_settings: ModelSettings
    ) -> AsyncGenerator[str | TimedString, None]:
        """Word by word: the library takes the square of a piece's length to find the words in it, before a sound."""
        # The library looks for words and syllables in them for milliseconds.
        await asyncio.sleep(SOUND_GOES_FIRST_S)
        async with aclosing(Agent.default.transcription_node(self, text, model_settings)) as pieces:
            async for piece in pieces:
                if isinstance(piece, TimedString):
                    yield piece
                else:
                    for word in _WORDS.findall(piece):
                        yield word


async def _without_lead_in(sounds: AsyncGenerator[rtc.AudioFrame, None]) -> AsyncGenerator[rtc.AudioFrame, None]:
    lead_in, first = LeadIn(RATE), None
    async with aclosing(sounds):
        async for sound in sounds:
            if lead_in.over:
                yield sound
                continue
            # The first one knows since when it was waited for.
            first = first or sound
            if played := lead_in.after(bytes(sound.data)):
                yield _frame(played, first)
    if first is not None and (played := lead_in.rest()):
        yield _frame(played, first)


def _frame(pcm: bytes, like: rtc.AudioFrame) -> rtc.AudioFrame:
    return rtc.AudioFrame(pcm, RATE, 1, len(pcm) // 2, userdata=like.userdata)


def _marked(chat_ctx: llm.ChatContext, mark: str) -> llm.ChatContext:
    """With the marks of its earlier answers, which were cut off: a model does as it sees itself to have done."""
    marked = chat_ctx.copy()
    for at, item in enumerate(marked.items):
        if isinstance(item, llm.ChatMessage) and item.role == "assistant":
            marked.items[at] = item.model_copy(update={"content": [f"{mark} {item.text_content or ''}"]})
    return marked


def _checked(
    piece: llm.ChatChunk | str | FlushSentinel, gate: SentenceGate | None, marks: MarkReader | None
) -> Iterator[llm.ChatChunk | str | FlushSentinel]:
    """The sentences that a piece completes, and whatever in it is no text."""
    if gate is None or not isinstance(piece, llm.ChatChunk) or piece.delta is None:
        yield piece
        return
    text = piece.delta.content or ""
    for sentence in gate.feed(marks.feed(text) if marks else text):
        yield f"{sentence} "
    if piece.delta.tool_calls and not (marks and marks.is_silent):
        yield piece.model_copy(update={"delta": piece.delta.model_copy(update={"content": None})})

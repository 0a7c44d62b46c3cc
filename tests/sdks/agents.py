"""An agent by the book: it is in the room as a real one is, and says, writes and hears what a test tells it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from livekit import rtc
from tests.roomlet.people import Person, Server, token
from tests.roomlet.waiting import eventually, within

STATE = "lk.agent.state"
TRANSCRIPTION = "lk.transcription"
CHAT = "lk.chat"


@dataclass
class ScriptedAgent:
    person: Person
    voice: rtc.LocalTrackPublication | None = None
    typed: list[tuple[str, str]] = field(default_factory=list)
    _reading: set[asyncio.Task[None]] = field(default_factory=set)

    async def be(self, state: str) -> None:
        await self.person.room.local_participant.set_attributes({STATE: state})

    async def says(self, *words: str, segment: str, started_at_ms: int | None = None) -> None:
        """One line of the agent's own, which grows word by word."""
        writer = await self._write(self.person.identity, segment, started_at_ms)
        for word in words:
            await writer.write(word)
        await writer.aclose(attributes={"lk.transcription_final": "true"})

    async def begins_to_say(self, word: str, *, segment: str) -> None:
        """A line that its writer never finishes."""
        await (await self._write(self.person.identity, segment, None)).write(word)

    async def understands(self, identity: str, text: str, *, segment: str, final: bool) -> None:
        """What somebody said, as far as it is understood."""
        writer = await self._write(identity, segment, None, final="true" if final else "false")
        await writer.write(text)
        await writer.aclose()

    def is_silent(self, silent: bool) -> None:
        assert self.voice is not None
        assert self.voice.track is not None
        (self.voice.track.mute if silent else self.voice.track.unmute)()

    async def is_typed(self, text: str) -> str:
        """Who typed it."""
        await eventually(f"somebody types {text!r}", lambda: any(each == text for _, each in self.typed))
        return next(identity for identity, each in self.typed if each == text)

    async def _write(
        self, identity: str, segment: str, started_at_ms: int | None, final: str = "false"
    ) -> rtc.TextStreamWriter:
        attributes = {"lk.segment_id": segment, "lk.transcription_final": final}
        if started_at_ms is not None:
            attributes["rymi.started_at_ms"] = str(started_at_ms)
        return await self.person.room.local_participant.stream_text(
            topic=TRANSCRIPTION, sender_identity=identity, attributes=attributes
        )

    def read_chat(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            self.typed.append((identity, await reader.read_all()))

        task = asyncio.create_task(read())
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)


@contextlib.asynccontextmanager
async def scripted_agent(server: Server, room: str, identity: str = "agent-row-id") -> AsyncIterator[ScriptedAgent]:
    agent = ScriptedAgent(Person(server, room, identity))
    agent.person.room.register_text_stream_handler(CHAT, agent.read_chat)
    await agent.person.join(minted=token(server, room, identity, kind="agent", can_update_own_metadata=True))
    await agent.be("listening")
    agent.voice = await agent.person.play(440.0)
    try:
        yield agent
    finally:
        await within("the agent leaves", agent.person.leave())

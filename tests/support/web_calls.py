"""Calls that browsers and SDK participants hold with a running installation, as their customer sees them."""

import contextlib
import io
import wave
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from tests.agent.voices import RATE as VOICE_RATE
from tests.agent.voices import spoken
from tests.support.asking import web
from tests.support.up import Up
from tests.support.waiting import until

from rymi_server.entrypoints.calling.caller import Caller, Hearing
from rymi_server.entrypoints.calling.sounds import FRAME_SAMPLES, RATE
from rymi_server.foundation.sound.resampling import PolyResampler

# The machine that tests run on may be busy with others.
PATIENCE_SECONDS = 60
_REPEATS = 6


def wav(text: str, voice: str) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, VOICE_RATE, 0, "NONE", ""))
        file.writeframes(spoken(text, voice).tobytes())
    return out.getvalue()


@dataclass
class Spoken:
    """A mouth for a participant on the SDK."""

    voice: str
    waiting: deque[bytes] = field(default_factory=deque)

    def say(self, text: str) -> None:
        sound = PolyResampler(VOICE_RATE, RATE).push(spoken(text, self.voice))
        sound = np.concatenate([sound, np.zeros(-len(sound) % FRAME_SAMPLES, np.int16)])
        self.waiting.extend(part.tobytes() for part in sound.reshape(-1, FRAME_SAMPLES))

    def frame(self) -> bytes:
        return self.waiting.popleft() if self.waiting else bytes(FRAME_SAMPLES * 2)


@dataclass
class WebCall:
    """One call, looked at with the customer's key."""

    customer: httpx.AsyncClient
    made: dict[str, Any]

    @classmethod
    async def create(cls, customer: httpx.AsyncClient, agent_id: str, *identities: str) -> "WebCall":
        body = {"agent_id": agent_id, "participants": [web(identity) for identity in identities]}
        answer = await customer.post("/v1/calls", json=body)
        assert answer.status_code == 201, answer.text
        return cls(customer, answer.json())

    @property
    def id(self) -> str:
        call_id: str = self.made["id"]
        return call_id

    def access(self, identity: str) -> tuple[str, str]:
        (access,) = [p["access"] for p in self.made["participants"] if p["identity"] == identity]
        return access["url"], access["token"]

    async def enter(self, identity: str, voice: str) -> "OnSdk":
        caller = OnSdk(Spoken(voice), Hearing())
        await caller.caller.enter(*self.access(identity))
        return caller

    async def look(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.customer.get(f"/v1/calls/{self.id}")).json()
        return found

    async def lines(self) -> list[dict[str, Any]]:
        answer = await self.customer.get(f"/v1/calls/{self.id}/transcript")
        found: list[dict[str, Any]] = answer.json()["segments"] if answer.status_code == 200 else []
        return found

    async def said_by(self, identity: str | None) -> list[str]:
        """Lines of a person, or of the agent (None)."""
        lines = await self.lines()
        if identity is None:
            return [line["text"] for line in lines if line["speaker"] == "agent"]
        return [line["text"] for line in lines if line["speaker"] == "user" and line["identity"] == identity]

    async def becomes(self, what: str, status: str) -> None:
        async def is_so() -> bool:
            return bool((await self.look())["status"] == status)

        await until(what, is_so, seconds=PATIENCE_SECONDS)

    async def hears_of(self, identity: str | None, word: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Until somebody has said that word."""

        async def said() -> bool:
            return any(word in text.lower() for text in await self.said_by(identity))

        try:
            await until(f"{identity or 'the agent'} to have said {word!r}", said, seconds=seconds)
        except AssertionError as error:
            heard = [(line["identity"] or line["speaker"], line["text"]) for line in await self.lines()]
            raise AssertionError(f"{error}; there is {heard}") from error

    async def understands(self, say: Callable[[], Awaitable[None]], identity: str | None, word: str) -> None:
        """Have something said, again and again if need be as people do, until `identity` has said that word.

        Demo ears on a busy machine mishear; whose words they are must be right every time.
        """
        for _ in range(_REPEATS):
            await say()
            with contextlib.suppress(AssertionError):
                await self.hears_of(identity, word, seconds=12)
                return
        await self.hears_of(identity, word, seconds=1)

    async def agent_answers_beyond(self, count: int) -> None:
        async def more() -> bool:
            return len(await self.said_by(None)) > count

        await until(f"the agent to say more than {count} lines", more, seconds=PATIENCE_SECONDS)

    async def status_of(self, identity: str) -> str:
        (status,) = [p["status"] for p in (await self.look())["participants"] if p["identity"] == identity]
        return str(status)


@dataclass
class OnSdk:
    mouth: Spoken
    hearing: Hearing
    caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        self.caller = Caller(self.mouth, self.hearing)

    async def says(self, text: str) -> None:
        """Returns when it has been said."""
        self.mouth.say(text)

        async def said() -> bool:
            return not self.mouth.waiting

        await until(f"{text!r} to have been said", said, seconds=PATIENCE_SECONDS)

    async def is_spoken_to(self, since: float) -> None:
        """Until the agent is heard after that moment."""

        async def heard() -> bool:
            return self.hearing.loud_at is not None and self.hearing.loud_at > since

        await until("the agent to be heard", heard, seconds=PATIENCE_SECONDS)

    async def is_left_in_peace(self) -> None:
        """Until nobody has spoken for a while."""

        async def quiet() -> bool:
            return self.hearing.loud_at is not None and self.hearing.quiet_seconds > 1

        await until("the agent to fall silent", quiet, seconds=PATIENCE_SECONDS)


def customer_of(up: Up) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=up.url, headers={"Authorization": f"Bearer {up.key()}"}, timeout=30)

"""A language model's server that answers from a script, in the dialect that it is asked in, or fails as it is told."""

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


@dataclass
class Say:
    """What the model answers: `text` is its JSON; the rest bends the answer."""

    text: str | Json = ""
    status: int = 200
    raw: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_short: bool = False
    declined: bool = False
    hangs: bool = False
    breaks_off: bool = False


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    body: Json

    @property
    def instructions(self) -> str:
        return self._parts()[0]

    @property
    def material(self) -> str:
        return self._parts()[1]

    @property
    def fields(self) -> set[str]:
        """What the answer is to have: by it one knows which part of an analysis is asked about."""
        schema = json.loads(self.instructions.rpartition("JSON Schema:\n")[2].partition("\n\n")[0])
        return set(schema.get("properties", {}))

    @property
    def most_tokens(self) -> int:
        found = self.body.get("max_tokens") or self.body.get("max_completion_tokens")
        return int(found or self.body["generationConfig"]["maxOutputTokens"])

    def _parts(self) -> tuple[str, str]:
        if "systemInstruction" in self.body:
            return self.body["systemInstruction"]["parts"][0]["text"], self.body["contents"][0]["parts"][0]["text"]
        if "system" in self.body:
            return self.body["system"], self.body["messages"][0]["content"]
        return self.body["messages"][0]["content"], self.body["messages"][1]["content"]


class ModelServer:
    """`script` is used up answer by answer; then `otherwise` answers."""

    def __init__(self) -> None:
        self.script: deque[Say] = deque()
        self.otherwise: Callable[[Asked], Say] = lambda _: Say(status=500)
        self.asked: list[Asked] = []
        self.url = ""
        self._released = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        self._released.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.path, dict(request.headers), await request.json())
        self.asked.append(asked)
        say = self.script.popleft() if self.script else self.otherwise(asked)
        if say.hangs:
            await self._released.wait()
        if say.breaks_off:
            response = web.StreamResponse(headers={"Content-Length": "1000"})
            await response.prepare(request)
            await response.write(b'{"choices": [{"mess')
            assert request.transport is not None
            request.transport.close()
            return response
        body = say.raw if say.raw is not None else json.dumps(_in_dialect(asked.path, say)).encode()
        return web.Response(status=say.status, body=body, headers=say.headers)


def _in_dialect(path: str, say: Say) -> Json:
    if say.status != 200:
        return {"error": {"message": say.text if isinstance(say.text, str) else json.dumps(say.text)}}
    text = say.text if isinstance(say.text, str) else json.dumps(say.text)
    if path.endswith("/messages"):
        block = (
            {"type": "tool_use", "id": "t", "name": "answer", "input": say.text}
            if isinstance(say.text, dict)
            else {"type": "text", "text": text}
        )
        reason = "refusal" if say.declined else "max_tokens" if say.cut_short else "tool_use"
        return {"content": [block], "stop_reason": reason, "usage": {"input_tokens": 7, "output_tokens": 3}}
    if path.endswith(":generateContent"):
        reason = "SAFETY" if say.declined else "MAX_TOKENS" if say.cut_short else "STOP"
        parts = [{"text": "let me think", "thought": True}, {"text": text}]
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 3}
        return {"candidates": [{"content": {"parts": parts}, "finishReason": reason}], "usageMetadata": usage}
    reason = "length" if say.cut_short else "stop"
    choice = {"message": {"role": "assistant", "content": None if say.declined else text}, "finish_reason": reason}
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}

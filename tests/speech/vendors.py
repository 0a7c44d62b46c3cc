"""Servers of providers, on this machine: they speak the vendors' protocols, and know two sentences by their length."""

import asyncio
import io
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

RATE = 16_000
LOUD = 500
BLOCK = RATE // 50
SENTENCES = {0: "", 1: "Yes.", 2: "What are your opening hours?"}
VOICE_RATE = 24_000


def loud_seconds(pcm: bytes) -> float:
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float64)
    blocks = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    return float((np.sqrt((blocks**2).mean(axis=1)) > LOUD).sum()) * 0.02 if len(blocks) else 0.0


def recognised(pcm: bytes) -> str:
    return sentence(loud_seconds(pcm))


def sentence(loud: float) -> str:
    """What so many seconds of something loud are taken for."""
    return SENTENCES[0 if loud < 0.15 else 1 if loud < 0.9 else 2]


def tone(text: str) -> bytes:
    """A sound that is as long as the text."""
    t = np.arange(round(VOICE_RATE * (0.3 + 0.05 * len(text)))) / VOICE_RATE
    return (np.sin(2 * np.pi * 300 * t) * 8_000).astype(np.int16).tobytes()


@dataclass
class Vendor:
    """What was asked of it, and how it is to fail."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    fails: int | None = None
    breaks_off: bool = False

    def wanted(self, what: str) -> dict[str, Any]:
        return next(each for each in self.asked if each["what"] == what)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"{host}:{port}"
    await runner.cleanup()


@asynccontextmanager
async def openai_server() -> AsyncIterator[Vendor]:
    vendor = Vendor()

    async def transcribe(request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        vendor.asked.append({"what": "stt", "auth": request.headers.get("Authorization"), **_texts(form)})
        if vendor.fails:
            return web.json_response({"error": {"message": "no"}}, status=vendor.fails)
        with wave.open(io.BytesIO(file.file.read())) as sound:
            return web.json_response({"text": recognised(sound.readframes(sound.getnframes()))})

    async def speak(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        vendor.asked.append({"what": "tts", **body})
        if vendor.fails:
            return web.json_response({"error": {"message": "no"}}, status=vendor.fails)
        answer = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await answer.prepare(request)
        sound = tone(body["input"])
        for at in range(0, len(sound), 4_800):
            await answer.write(sound[at : at + 4_800])
            if vendor.breaks_off and request.transport:
                request.transport.abort()
                return answer
            await asyncio.sleep(0)
        await answer.write_eof()
        return answer

    async def chat(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        vendor.asked.append({"what": "chat", **body})
        if vendor.fails:
            return web.json_response({"error": {"message": "no"}}, status=vendor.fails)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for word in ("We ", "open ", "at nine."):
            await answer.write(_chunk({"role": "assistant", "content": word}, None))
        await answer.write(_chunk({}, "stop") + b"data: [DONE]\n\n")
        await answer.write_eof()
        return answer

    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_post("/v1/audio/transcriptions", transcribe)
    app.router.add_post("/v1/audio/speech", speak)
    app.router.add_post("/v1/chat/completions", chat)
    async with served(app) as address:
        vendor.url = f"http://{address}/v1"
        yield vendor


def _texts(form: Any) -> dict[str, str]:
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _chunk(delta: dict[str, str], finish: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    body = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(body)}\n\n".encode()


@asynccontextmanager
async def deepgram_server() -> AsyncIterator[Vendor]:
    """It endpoints after 300 ms of silence, as it was asked to, and at once when told to finalize."""
    vendor = Vendor()

    async def listen(request: web.Request) -> web.StreamResponse:
        vendor.asked.append({"what": "stt", "auth": request.headers.get("Authorization"), **request.query})
        if vendor.fails:
            return web.Response(status=vendor.fails)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        line = DeepgramLine(socket)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                await line.hear(message.data)
            elif message.type is WSMsgType.TEXT and json.loads(message.data)["type"] == "Finalize":
                await line.finalize(endpoint=False)
            if vendor.breaks_off:
                await socket.close(code=1011)
        return socket

    async def speak(request: web.Request) -> web.Response:
        body = await request.json()
        vendor.asked.append({"what": "tts", "auth": request.headers.get("Authorization"), **request.query, **body})
        if vendor.fails:
            return web.Response(status=vendor.fails)
        return web.Response(body=tone(body["text"]), content_type="audio/l16")

    app = web.Application()
    app.router.add_get("/v1/listen", listen)
    app.router.add_post("/v1/speak", speak)
    async with served(app) as address:
        vendor.url = f"ws://{address}/v1/listen"
        yield vendor


class DeepgramLine:
    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._sound = bytearray()
        self._heard_s = self._began_s = self._quiet_s = 0.0

    async def hear(self, pcm: bytes) -> None:
        seconds = len(pcm) / 2 / RATE
        loud = loud_seconds(pcm) > 0
        if loud and not loud_seconds(bytes(self._sound)):
            self._began_s = self._heard_s
            await self._socket.send_json({"type": "SpeechStarted", "timestamp": self._heard_s})
        self._sound += pcm
        self._heard_s += seconds
        self._quiet_s = 0.0 if loud else self._quiet_s + seconds
        if recognised(bytes(self._sound)) and loud:
            await self._results(is_final=False, endpoint=False)
        if self._quiet_s >= 0.3 and loud_seconds(bytes(self._sound)) > 0:
            await self.finalize(endpoint=True)

    async def finalize(self, *, endpoint: bool) -> None:
        await self._results(is_final=True, endpoint=endpoint)
        self._sound.clear()

    async def _results(self, *, is_final: bool, endpoint: bool) -> None:
        text = recognised(bytes(self._sound))
        end = self._heard_s - self._quiet_s
        words = [
            {"word": word.lower(), "punctuated_word": word, "start": self._began_s, "end": end, "confidence": 0.9}
            for word in text.split()
        ]
        await self._socket.send_json(
            {
                "type": "Results",
                "is_final": is_final,
                "speech_final": endpoint,
                "metadata": {"request_id": "r1"},
                "channel": {"alternatives": [{"transcript": text, "confidence": 0.9, "words": words}]},
            }
        )

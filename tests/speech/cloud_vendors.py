"""Servers of Cartesia, ElevenLabs, Anthropic and Google's Gemini, on this machine, in the vendors' own protocols."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web
from tests.speech.vendors import BLOCK, RATE, Vendor, loud_seconds, recognised, sentence, served, tone

_CARTESIA_WAITS_S = 0.3
_ANSWER = ("We ", "open ", "at nine.")


class Hearing:
    """What a recogniser has heard of the running utterance."""

    def __init__(self) -> None:
        self._rest = b""
        self._loud_s = 0.0
        self.heard_s = self.began_s = self.quiet_s = 0.0

    def hear(self, pcm: bytes) -> bool:
        """Whether this was loud."""
        self._rest += pcm
        whole = len(self._rest) // (2 * BLOCK) * 2 * BLOCK
        loud_s = loud_seconds(self._rest[:whole])
        self._rest = self._rest[whole:]
        self._loud_s += loud_s
        self.heard_s += len(pcm) / 2 / RATE
        self.quiet_s = 0.0 if loud_s else self.quiet_s + len(pcm) / 2 / RATE
        return loud_s > 0

    @property
    def text(self) -> str:
        return sentence(self._loud_s)

    def words(self, key: str) -> list[dict[str, Any]]:
        return [{key: word, "start": self.began_s, "end": self.heard_s} for word in self.text.split()]

    def forget(self) -> None:
        self._loud_s = 0.0
        self.began_s = self.heard_s


def _refused(vendor: Vendor) -> web.Response:
    return web.json_response({"error": {"type": "no", "message": "no"}}, status=vendor.fails or 500)


async def _streamed(request: web.Request, vendor: Vendor, sound: bytes, kind: str) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": kind})
    await answer.prepare(request)
    for at in range(0, len(sound), 4_801):  # Not in whole samples, as on a network.
        await answer.write(sound[at : at + 4_801])
        if vendor.breaks_off and request.transport:
            request.transport.abort()
            return answer
        await asyncio.sleep(0)
    await answer.write_eof()
    return answer


# --- Cartesia --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def cartesia_server() -> AsyncIterator[Vendor]:
    vendor = Vendor()

    async def speak(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        vendor.asked.append({"what": "tts", "auth": request.headers.get("X-API-Key"), **body})
        if vendor.fails:
            return _refused(vendor)
        assert body["output_format"] == {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000}
        return await _streamed(request, vendor, tone(body["transcript"]), "application/octet-stream")

    def hears(conversation: Callable[[web.WebSocketResponse], Awaitable[None]]) -> Any:
        async def connect(request: web.Request) -> web.StreamResponse:
            vendor.asked.append({"what": "stt", "auth": request.headers.get("X-API-Key"), **request.query})
            if vendor.fails:
                return _refused(vendor)
            socket = web.WebSocketResponse()
            await socket.prepare(request)
            await conversation(socket)
            return socket

        return connect

    app = web.Application()
    app.router.add_post("/tts/bytes", speak)
    app.router.add_get("/stt/websocket", hears(_ink_whisper))
    app.router.add_get("/stt/turns/websocket", hears(_ink_2))
    async with served(app) as address:
        vendor.url = f"http://{address}"
        yield vendor


async def _ink_whisper(socket: web.WebSocketResponse) -> None:
    """It says what it has heard when it is told to finalize."""
    hearing = Hearing()
    async for message in socket:
        if message.type is WSMsgType.BINARY:
            hearing.hear(message.data)
        elif message.data == "finalize":
            shown = {
                "text": hearing.text,
                "duration": hearing.heard_s - hearing.began_s,
                "words": hearing.words("word"),
            }
            await socket.send_json({"type": "transcript", "is_final": True, "request_id": "r", **shown})
            await socket.send_json({"type": "flush_done", "request_id": "r"})
            hearing.forget()
        elif message.data == "close":
            await socket.send_json({"type": "done", "request_id": "r"})
            await socket.close()


async def _ink_2(socket: web.WebSocketResponse) -> None:
    """It tells turns by itself, and cannot be told that one is over."""
    hearing, told = Hearing(), ""

    async def tell(kind: str, **more: str) -> None:
        await socket.send_json({"type": kind, "request_id": "r", **more})

    await tell("connected")
    async for message in socket:
        if message.type is not WSMsgType.BINARY:
            await socket.close()
            return
        hearing.hear(message.data)
        if hearing.text and not told:
            await tell("turn.start")
        if hearing.text != told and hearing.text:
            told = hearing.text
            await tell("turn.update", transcript=told)
        if told and hearing.quiet_s >= _CARTESIA_WAITS_S:
            await tell("turn.end", transcript=told)
            hearing.forget()
            told = ""


# --- ElevenLabs ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def elevenlabs_server() -> AsyncIterator[Vendor]:
    vendor = Vendor()

    async def speak(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        voice = request.match_info["voice"]
        auth = request.headers.get("xi-api-key")
        vendor.asked.append({"what": "tts", "auth": auth, "voice": voice, **request.query, **body})
        if vendor.fails:
            return _refused(vendor)
        assert request.query["output_format"] == "pcm_24000"
        return await _streamed(request, vendor, tone(body["text"]), "audio/pcm")

    async def transcribe(request: web.Request) -> web.Response:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        vendor.asked.append({"what": "stt", "auth": request.headers.get("xi-api-key"), "model_id": form["model_id"]})
        if vendor.fails:
            return _refused(vendor)
        return web.json_response({"text": recognised(file.file.read()[44:]), "language_code": "en", "words": []})

    async def listen(request: web.Request) -> web.StreamResponse:
        vendor.asked.append({"what": "stt", "auth": request.headers.get("xi-api-key"), **request.query})
        if vendor.fails:
            return _refused(vendor)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"message_type": "session_started", "session_id": "s"})
        await _scribe(socket, vendor)
        return socket

    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.router.add_post("/v1/text-to-speech/{voice}/stream", speak)
    app.router.add_post("/v1/speech-to-text", transcribe)
    app.router.add_get("/v1/speech-to-text/realtime", listen)
    async with served(app) as address:
        vendor.url = f"http://{address}/v1"
        yield vendor


async def _scribe(socket: web.WebSocketResponse, vendor: Vendor) -> None:
    hearing, told = Hearing(), ""
    async for message in socket:
        chunk = json.loads(message.data)
        assert chunk["message_type"] == "input_audio_chunk"
        assert chunk["sample_rate"] == RATE
        hearing.hear(base64.b64decode(chunk["audio_base_64"]))
        if vendor.breaks_off:
            await socket.send_json({"message_type": "transcriber_error", "error": "no"})
            return
        if hearing.text != told:
            told = hearing.text
            await socket.send_json({"message_type": "partial_transcript", "text": told})
        if chunk["commit"]:
            # Every commit is told twice.
            await socket.send_json({"message_type": "committed_transcript", "text": hearing.text})
            timed = {"text": hearing.text, "words": hearing.words("text")}
            await socket.send_json({"message_type": "committed_transcript_with_timestamps", **timed})
            hearing.forget()
            told = ""


# --- models that think -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def anthropic_server() -> AsyncIterator[Vendor]:
    """It answers, or uses a tool where it has been given one and was not answered by it yet."""
    vendor = Vendor()

    async def messages(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        vendor.asked.append({"what": "chat", "auth": request.headers.get("x-api-key"), **body})
        if vendor.fails:
            return web.json_response({"type": "error", "error": {"type": "api_error", "message": "no"}}, vendor.fails)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for event in _anthropic_events(body):
            await answer.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        await answer.write_eof()
        return answer

    app = web.Application()
    app.router.add_post("/v1/messages", messages)
    async with served(app) as address:
        vendor.url = f"http://{address}"
        yield vendor


def _anthropic_events(body: dict[str, Any]) -> list[dict[str, Any]]:
    usage = {"input_tokens": 10, "output_tokens": 1}
    message = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [],
        "usage": usage,
    }
    more = {"stop_reason": None, "stop_sequence": None}
    answered = any(part.get("type") == "tool_result" for each in body["messages"] for part in _parts(each))
    if body.get("tools") and not answered:
        block: dict[str, Any] = {"type": "tool_use", "id": "t1", "name": body["tools"][0]["name"], "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ('{"day": ', '"friday"}')]
        reason = "tool_use"
    else:
        block, reason = {"type": "text", "text": ""}, "end_turn"
        deltas = [{"type": "text_delta", "text": part} for part in _ANSWER]
    return [
        {"type": "message_start", "message": {**message, **more}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return content if isinstance(content, list) else []


@asynccontextmanager
async def gemini_server() -> AsyncIterator[Vendor]:
    """It answers in words, or in sound where sound was asked for."""
    vendor = Vendor()

    async def generate(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        said = {"what": "chat", "model": request.match_info["model"], "auth": request.headers.get("x-goog-api-key")}
        vendor.asked.append({**said, **body})
        if vendor.fails:
            return web.json_response({"error": {"code": vendor.fails, "message": "no", "status": "NO"}}, vendor.fails)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for part in _gemini_parts(body):
            candidate = {"content": {"role": "model", "parts": [part]}, "index": 0}
            await answer.write(f"data: {json.dumps({'candidates': [candidate]})}\r\n\r\n".encode())
        done = {"candidates": [{"content": {"role": "model", "parts": []}, "finishReason": "STOP", "index": 0}]}
        await answer.write(f"data: {json.dumps(done)}\r\n\r\n".encode())
        await answer.write_eof()
        return answer

    app = web.Application()
    app.router.add_post("/{version}/models/{model}:streamGenerateContent", generate)
    async with served(app) as address:
        vendor.url = f"http://{address}"
        yield vendor


def _gemini_parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    if body.get("generationConfig", {}).get("responseModalities") != ["AUDIO"]:
        return [{"text": part} for part in _ANSWER]
    text = body["contents"][0]["parts"][0]["text"]
    sound = tone(text.rpartition("\n")[2].strip('"'))
    pieces = [sound[at : at + 24_000] for at in range(0, len(sound), 24_000)]
    kind = "audio/L16;codec=pcm;rate=24000"
    return [{"inlineData": {"mimeType": kind, "data": base64.b64encode(piece).decode()}} for piece in pieces]

"""The agent to stand beside: livekit-agents' own `RoomIO` and its usual parts, with our voice and our recogniser.

Run as `python -m benchmarks.stock_agent`; LIVEKIT_URL and its keys come from the environment. It tells the room when it
has heard what, on topic `bench`.
"""

import asyncio
import json
import os
import signal
import time
from typing import Any

os.environ["LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE"] = "0"

from livekit import rtc
from livekit.agents import (
    Agent,
    AgentServer,
    AgentSession,
    JobContext,
    JobProcess,
    JobRequest,
    LanguageCode,
    llm,
    stt,
    vad,
)
from livekit.plugins import silero

from benchmarks.agent_lines import GREETING, VOCABULARY, answer_to
from rymi_server.runtime.session.spoken_voice import SpokenVoice
from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker
from rymi_server.speech_engines.promises import FRAME_MS, HEARING_RATE, Listeners
from rymi_server.speech_engines.sphinx.ear import SphinxEar, sphinx_worker

FRAME_BYTES = HEARING_RATE * FRAME_MS // 1_000 * 2


class Ears(stt.STT[str]):
    """Our recogniser as it is used with the stock session: a detector of its own says when an utterance is over."""

    def __init__(self, detector: vad.VAD) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.detector = detector
        self.ear = SphinxEar([sphinx_worker()])

    async def _recognize_impl(self, buffer: Any, **_: Any) -> stt.SpeechEvent:
        raise NotImplementedError

    def stream(self, *, language: Any = None, conn_options: Any = None) -> stt.RecognizeStream:  # noqa: ARG002
        return _Hearing(stt=self, conn_options=conn_options, sample_rate=HEARING_RATE)


class _Hearing(stt.RecognizeStream):
    async def _run(self) -> None:
        ears: Any = self._stt
        heard = await ears.ear.listen(VOCABULARY, Listeners())
        detected = ears.detector.stream()
        feeding = asyncio.create_task(self._feed(heard, detected))
        try:
            async for event in detected:
                if event.type is vad.VADEventType.END_OF_SPEECH:
                    words = await heard.finish_utterance()
                    data = stt.SpeechData(language=LanguageCode("en"), text=words.text, confidence=1.0)
                    self._event_ch.send_nowait(
                        stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])
                    )
        finally:
            feeding.cancel()
            await heard.aclose()

    async def _feed(self, heard: Any, detected: vad.VADStream) -> None:
        rest = b""
        async for frame in self._input_ch:
            if not isinstance(frame, rtc.AudioFrame):
                continue
            detected.push_frame(frame)
            rest += bytes(frame.data)
            while len(rest) >= FRAME_BYTES:
                heard.push(rest[:FRAME_BYTES])
                rest = rest[FRAME_BYTES:]


class Rules(llm.LLM[str]):
    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, conn_options: Any = None, **_: Any) -> Any:
        return _Rule(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Rule(llm.LLMStream):
    async def _run(self) -> None:
        said = [each.text_content or "" for each in self._chat_ctx.messages() if each.role == "user"]
        delta = llm.ChoiceDelta(role="assistant", content=answer_to(said[-1] if said else ""))
        self._event_ch.send_nowait(llm.ChatChunk(id="a", delta=delta))


def prepare(process: JobProcess) -> None:
    process.userdata["vad"] = silero.VAD.load()


async def accept(request: JobRequest) -> None:
    await request.accept(name="Agent", identity=f"agent-{request.id}")


async def serve(ctx: JobContext) -> None:
    detector = ctx.proc.userdata["vad"]
    session: AgentSession[Any] = AgentSession(
        vad=detector,
        stt=Ears(detector),
        llm=Rules(),
        tts=SpokenVoice(EspeakVoice(espeak_worker())),
        turn_handling={"turn_detection": "vad", "interruption": {"mode": "vad"}},
        aec_warmup_duration=None,
    )

    telling: set[asyncio.Future[None]] = set()

    def tell(what: str) -> None:
        told = json.dumps({"what": what, "at": time.time(), "pid": os.getpid()})
        task = asyncio.ensure_future(ctx.room.local_participant.publish_data(told, topic="bench"))
        telling.add(task)
        task.add_done_callback(telling.discard)

    session.on("user_input_transcribed", lambda event: tell("words") if event.is_final else None)
    session.on("user_state_changed", lambda event: tell("speaks") if event.new_state == "speaking" else None)
    await session.start(agent=Agent(instructions="test"), room=ctx.room)
    tell("ready")
    session.say(GREETING)


async def main() -> None:
    server = AgentServer(
        setup_fnc=prepare,
        load_fnc=lambda: 0.0,
        load_threshold=float("inf"),
        num_idle_processes=4,
        initialize_process_timeout=120.0,
        port=0,
        host="127.0.0.1",
    )
    server.on("worker_registered", lambda *_: print("registered", flush=True))
    server.rtc_session(serve, agent_name="stock", on_request=accept)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(server.aclose()))
    await server.run(devmode=False)


if __name__ == "__main__":
    asyncio.run(main())

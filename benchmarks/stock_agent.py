"""The agent to stand beside: livekit-agents' own `RoomIO` and its usual parts, with our voice and a recogniser that is
free. Run as `python -m benchmarks.stock_agent`; LIVEKIT_URL and its keys come from the environment.
"""

import asyncio
import os
import signal
from typing import Any

os.environ["LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE"] = "0"

from livekit.agents import Agent, AgentServer, AgentSession, JobContext, JobProcess, JobRequest, llm, stt
from livekit.plugins import silero

from benchmarks.agent_lines import answer_to
from rymi_server.runtime.session.spoken_voice import SpokenVoice
from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker

GREETING = "Hello there."


class OneLine(stt.STT):
    """Hears the same in everything, at once."""

    def __init__(self) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=False, interim_results=False))

    async def _recognize_impl(self, buffer: Any, **_: Any) -> stt.SpeechEvent:  # noqa: ARG002
        data = stt.SpeechData(language="en", text="tell me a story", confidence=1.0)
        return stt.SpeechEvent(type=stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])


class Rules(llm.LLM):
    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, conn_options: Any = None, **_: Any) -> Any:
        return _Rule(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Rule(llm.LLMStream):
    async def _run(self) -> None:
        delta = llm.ChoiceDelta(role="assistant", content=answer_to("tell me a story"))
        self._event_ch.send_nowait(llm.ChatChunk(id="a", delta=delta))


def prepare(process: JobProcess) -> None:
    process.userdata["vad"] = silero.VAD.load()


async def accept(request: JobRequest) -> None:
    await request.accept(name="Agent", identity=f"agent-{request.id}")


async def serve(ctx: JobContext) -> None:
    session: AgentSession[Any] = AgentSession(
        vad=ctx.proc.userdata["vad"],
        stt=OneLine(),
        llm=Rules(),
        tts=SpokenVoice(EspeakVoice(espeak_worker())),
        turn_handling={"turn_detection": "vad", "interruption": {"mode": "vad"}},
        aec_warmup_duration=None,
    )
    await session.start(agent=Agent(instructions="test"), room=ctx.room)
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

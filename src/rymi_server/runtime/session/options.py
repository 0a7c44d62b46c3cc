"""Every choice that livekit-agents offers for a session, made here and said aloud: none is left to its defaults."""

from typing import Any, Final

from livekit.agents import AgentSession, TurnHandlingOptions, llm, tts
from livekit.agents.voice import io

from rymi_server.runtime.session.replaying import GroupSTT, GroupVAD, Replay, TickInput
from rymi_server.runtime.turn_taking.interruption import Interruption

# How long after the people's turn has proved to be nothing the agent goes on with its sentence.
RESUMES_AFTER_S: Final = 0.2
_MOST_TOOL_STEPS: Final = 5

# Not 0: the library takes silence for an interruption then, for ever.
_LEAST_SPEECH_S: Final = 0.02


def _turn_handling(interruption: Interruption) -> TurnHandlingOptions:
    return {
        # The hub says when a turn is over; there is nothing left to wait for.
        "turn_detection": "vad",
        "endpointing": {"mode": "fixed", "min_delay": 0.0, "max_delay": 0.0},
        "interruption": {
            "enabled": interruption.allowed,
            "mode": "vad",
            "discard_audio_if_uninterruptible": False,
            "min_duration": max(_LEAST_SPEECH_S, interruption.speech_ms / 1_000),
            "min_words": 0,
            "resume_false_interruption": interruption.resumes,
            "false_interruption_timeout": RESUMES_AFTER_S,
            "backchannel_boundary": None,
        },
        "preemptive_generation": {
            "enabled": True,
            "preemptive_tts": True,
            "max_speech_duration": 60.0,
            "max_retries": 20,
        },
        "user_turn_limit": {"max_words": None, "max_duration": None},
    }


def new_session(
    replay: Replay,
    mind: llm.LLM[Any],
    voice: tts.TTS[Any],
    hearing: TickInput,
    speaking: io.AudioOutput,
    text: io.TextOutput,
    interruption: Interruption,
) -> AgentSession[Any]:
    session: AgentSession[Any] = AgentSession(
        vad=GroupVAD(replay),
        stt=GroupSTT(replay),
        llm=mind,
        tts=voice,
        turn_handling=_turn_handling(interruption),
        stt_context_options={"keyterms": [], "keyterm_detection": {"enabled": False}, "forward_chat_context": False},
        tools=[],
        max_tool_steps=_MOST_TOOL_STEPS,
        use_tts_aligned_transcript=False,
        tts_text_transforms=["filter_markdown", "filter_emoji"],
        min_consecutive_speech_delay=0.0,
        expressive=False,
        video_sampler=None,
        aec_warmup_duration=None,
        ivr_detection=False,
        user_away_timeout=None,
        transcription_timeout=None,
        session_close_transcript_timeout=0.2,
    )
    session.input.audio = hearing
    session.output.audio = speaking
    session.output.transcription = text
    return session

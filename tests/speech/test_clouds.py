"""Cartesia, ElevenLabs, Deepgram's voices, Anthropic and Gemini, by their names, over sockets on this machine."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from livekit.agents import llm
from tests.speech.ear_promise import VOCABULARY, EarPromise, heard
from tests.speech.sounding import push, push_live, said
from tests.speech.vendors import Vendor
from tests.speech.voice_promise import VoicePromise, spoken
from tests.support.waiting import until

from rymi_server.runtime.session.providers.installed import InstalledEngines
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Ear, EarStream, Listeners, Voice
from rymi_server.speech_engines.readiness import Equipment

KEYS = {
    "CARTESIA_API_KEY": "ca-key",
    "DEEPGRAM_API_KEY": "dg-key",
    "ELEVENLABS_API_KEY": "el-key",
    "ANTHROPIC_API_KEY": "an-key",
    "GOOGLE_API_KEY": "go-key",
}

# Google's library makes its connections in a way that aiohttp advises against.
LIBRARY_WARNS = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.fixture
async def engines() -> AsyncIterator[InstalledEngines]:
    engines = InstalledEngines(Equipment(KEYS, Path("/nowhere")))
    yield engines
    await engines.aclose()


async def thought(mind: llm.LLM[Any], *, tools: list[Any] | None = None) -> tuple[str, list[llm.FunctionToolCall]]:
    """What it answers, and the tools that it wants to use."""
    context = llm.ChatContext()
    context.add_message(role="system", content="You answer for a shop.")
    context.add_message(role="user", content="When do you open?")
    text, calls = "", []
    async with mind.chat(chat_ctx=context, tools=tools) as answer:
        async for chunk in answer:
            if chunk.delta:
                text += chunk.delta.content or ""
                calls += chunk.delta.tool_calls
    await mind.aclose()
    return text, calls


def booking(day: str) -> str:
    """Book a day."""
    return day


class LiveEarPromise(EarPromise):
    """Of engines that say something by themselves, or whose words bear no times."""

    async def hear(self, stream: EarStream, sound: bytes) -> None:
        await push_live(stream, sound)


class TestCartesiaEars(LiveEarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, cartesia: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"stt_model": f"cartesia:{cartesia.url}#ink-whisper"}, on_phone=True)
        yield ear
        await ear.aclose()

    async def test_are_asked_with_the_key_and_the_language(self, ear: Ear, cartesia: Vendor) -> None:
        await heard(ear, said("yes"))
        asked = cartesia.wanted("stt")
        assert (asked["auth"], asked["model"], asked["language"]) == ("ca-key", "ink-whisper", "en")

    async def test_tell_no_ends_of_turns(self, ear: Ear) -> None:
        assert not ear.abilities.gives_turn_ends


class TestCartesiaEarsThatTellTurns(LiveEarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, cartesia: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"stt_model": f"cartesia:{cartesia.url}#ink-2"}, on_phone=True)
        yield ear
        await ear.aclose()

    async def test_tell_where_speech_begins_and_ends(self, ear: Ear) -> None:
        boundaries: list[bool] = []
        assert ear.abilities.gives_turn_ends
        stream = await ear.listen(VOCABULARY, Listeners(on_boundary=boundaries.append))
        push(stream, said("yes"))

        async def ended() -> bool:
            return boundaries == [True, False]

        await until("the recogniser holds the turn for ended", ended)
        await stream.aclose()


class TestCartesiaVoices(VoicePromise):
    @pytest.fixture
    async def voice(self, engines: InstalledEngines, cartesia: Vendor) -> AsyncIterator[Voice]:
        voice = engines.voice({"tts_model": f"cartesia:{cartesia.url}#sonic-3@ann", "language": "en-GB"}, on_phone=True)
        yield voice
        await voice.aclose()

    async def test_are_asked_with_the_key_and_the_voice(self, voice: Voice, cartesia: Vendor) -> None:
        assert await spoken(voice, "Hello.")
        asked = cartesia.wanted("tts")
        assert (asked["auth"], asked["model_id"], asked["language"]) == ("ca-key", "sonic-3", "en")
        assert asked["voice"]["id"] == "ann"

    @pytest.mark.parametrize("status", [401, 402, 500])
    async def test_fail_where_the_server_refuses(self, voice: Voice, cartesia: Vendor, status: int) -> None:
        cartesia.fails = status
        with pytest.raises(EngineFailed, match="cartesia"):
            await spoken(voice, "Hello.")


class TestElevenLabsEars(LiveEarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, elevenlabs: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"stt_model": f"elevenlabs:{elevenlabs.url}"}, on_phone=True)
        yield ear
        await ear.aclose()

    async def test_are_asked_with_the_key_and_commit_when_we_say_so(self, ear: Ear, elevenlabs: Vendor) -> None:
        await heard(ear, said("yes"))
        asked = elevenlabs.wanted("stt")
        assert (asked["auth"], asked["model_id"]) == ("el-key", "scribe_v2_realtime")
        assert (asked["commit_strategy"], asked["language_code"]) == ("manual", "en")

    async def test_fail_when_it_says_that_it_has_failed(self, ear: Ear, elevenlabs: Vendor) -> None:
        elevenlabs.breaks_off = True
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("yes"))

        async def fails() -> bool:
            try:
                await stream.finish_utterance()
            except EngineFailed:
                return True
            return False

        await until("the stream has failed", fails)
        await stream.aclose()


class TestElevenLabsEarsForWholeUtterances(EarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, elevenlabs: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"stt_model": f"elevenlabs:{elevenlabs.url}#scribe_v1"}, on_phone=True)
        yield ear
        await ear.aclose()


class TestElevenLabsVoices(VoicePromise):
    @pytest.fixture
    async def voice(self, engines: InstalledEngines, elevenlabs: Vendor) -> AsyncIterator[Voice]:
        voice = engines.voice({"tts_model": f"elevenlabs:{elevenlabs.url}#eleven_flash_v2_5@ann"}, on_phone=True)
        yield voice
        await voice.aclose()

    async def test_are_asked_with_the_key_and_the_voice(self, voice: Voice, elevenlabs: Vendor) -> None:
        assert await spoken(voice, "Hello.")
        asked = elevenlabs.wanted("tts")
        assert (asked["auth"], asked["model_id"], asked["voice"]) == ("el-key", "eleven_flash_v2_5", "ann")

    async def test_have_a_voice_where_none_is_named(self, engines: InstalledEngines, elevenlabs: Vendor) -> None:
        assert await spoken(engines.voice({"tts_model": f"elevenlabs:{elevenlabs.url}"}, on_phone=True), "Hello.")
        assert elevenlabs.wanted("tts")["voice"] == "21m00Tcm4TlvDq8ikWAM"

    async def test_that_break_off_leave_the_rest_to_the_next(
        self, engines: InstalledEngines, elevenlabs: Vendor, cartesia: Vendor
    ) -> None:
        elevenlabs.breaks_off = True
        reports: list[str] = []
        agent = {
            "tts_model": f"elevenlabs:{elevenlabs.url}",
            "tts_fallback_model": f"cartesia:{cartesia.url}#sonic-3@ann",
        }
        voice = engines.voice(agent, on_phone=True, report=reports.append)
        assert await spoken(voice, "Hello there.")
        assert cartesia.wanted("tts")["transcript"] == "Hello there."
        assert "takes over" in reports[0]
        await voice.aclose()


class TestDeepgramVoices(VoicePromise):
    @pytest.fixture
    async def voice(self, engines: InstalledEngines, deepgram: Vendor) -> AsyncIterator[Voice]:
        url = deepgram.url.replace("ws://", "http://").replace("listen", "speak")
        voice = engines.voice({"tts_model": f"deepgram:{url}#aura-2-thalia-en"}, on_phone=True)
        yield voice
        await voice.aclose()

    async def test_are_asked_with_the_key_and_the_model(self, voice: Voice, deepgram: Vendor) -> None:
        assert await spoken(voice, "Hello.")
        asked = deepgram.wanted("tts")
        assert (asked["auth"], asked["model"], asked["encoding"]) == ("Token dg-key", "aura-2-thalia-en", "linear16")


class TestAnthropic:
    async def test_streams_its_answer(self, engines: InstalledEngines, anthropic: Vendor) -> None:
        mind = engines.mind(
            {"llm_model": f"anthropic:{anthropic.url}", "advanced": {"temperature": 0.2, "maxTokens": 80}}
        )
        assert mind is not None
        assert (await thought(mind))[0] == "We open at nine."
        asked = anthropic.wanted("chat")
        assert (asked["auth"], asked["model"], asked["temperature"]) == ("an-key", "claude-haiku-4-5", 0.2)
        assert asked["max_tokens"] == 80
        assert asked["system"][0]["text"] == "You answer for a shop."

    async def test_uses_tools(self, engines: InstalledEngines, anthropic: Vendor) -> None:
        mind = engines.mind({"llm_model": f"anthropic:{anthropic.url}"})
        assert mind is not None
        _, (call,) = await thought(mind, tools=[llm.function_tool(booking)])
        assert (call.name, call.arguments) == ("booking", '{"day": "friday"}')


@LIBRARY_WARNS
class TestGemini:
    async def test_streams_its_answer(self, engines: InstalledEngines, gemini: Vendor) -> None:
        mind = engines.mind({"llm_provider": "google", "llm_model": "gemini-2.5-flash", "advanced": {"maxTokens": 80}})
        assert mind is not None
        assert (await thought(mind))[0] == "We open at nine."
        asked = gemini.wanted("chat")
        assert (asked["auth"], asked["model"]) == ("go-key", "gemini-2.5-flash")
        assert asked["generationConfig"]["maxOutputTokens"] == 80
        assert asked["systemInstruction"]["parts"][0]["text"] == "You answer for a shop."


@LIBRARY_WARNS
class TestGeminiVoices(VoicePromise):
    @pytest.fixture
    async def voice(self, engines: InstalledEngines, gemini: Vendor) -> AsyncIterator[Voice]:
        voice = engines.voice({"tts_provider": "google", "voice": "Puck"}, on_phone=True)
        yield voice
        await voice.aclose()

    async def test_are_asked_for_sound_in_their_voice(self, voice: Voice, gemini: Vendor) -> None:
        assert await spoken(voice, "Hello.")
        config = gemini.wanted("chat")["generationConfig"]["speechConfig"]["voice_config"]
        assert config["prebuilt_voice_config"]["voice_name"] == "Puck"


class TestMindsThatFail:
    async def test_leave_the_answer_to_the_next(
        self, engines: InstalledEngines, anthropic: Vendor, openai: Vendor
    ) -> None:
        anthropic.fails = 500
        agent = {"llm_model": f"anthropic:{anthropic.url}", "llm_fallback_model": f"openai:{openai.url}#llama3"}
        mind = engines.mind(agent)
        assert mind is not None
        assert (await thought(mind))[0] == "We open at nine."
        assert openai.wanted("chat")["model"] == "llama3"
        assert anthropic.asked

"""Providers' engines as our own, against servers on this machine that speak their protocols."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from livekit.agents import llm
from tests.speech.ear_promise import VOCABULARY, EarPromise, heard
from tests.speech.google_account import account_file
from tests.speech.sounding import push, said
from tests.speech.vendors import Vendor, served, tone
from tests.speech.voice_promise import VoicePromise, spoken
from tests.support.waiting import until

from rymi_server.foundation.sound.wav import Shape, header
from rymi_server.runtime.session.providers.access import Access
from rymi_server.runtime.session.providers.installed import InstalledEngines
from rymi_server.runtime.session.providers.manner import Manner
from rymi_server.runtime.session.providers.plugins import load_plugins, recogniser, speaker, thinker
from rymi_server.speech_engines.casting import Defaults
from rymi_server.speech_engines.errors import EngineFailed, EngineNotReady
from rymi_server.speech_engines.naming import Part, parse
from rymi_server.speech_engines.promises import Ear, Listeners, Vocabulary, Voice
from rymi_server.speech_engines.readiness import Equipment

EQUIPMENT = Equipment({"DEEPGRAM_API_KEY": "dg-key", "OPENAI_API_KEY": "sk-key"}, Path("/nowhere"))


@pytest.fixture
async def engines() -> AsyncIterator[InstalledEngines]:
    engines = InstalledEngines(EQUIPMENT)
    yield engines
    await engines.aclose()


class TestOpenAiEars(EarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, openai: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"custom_transcriber_url": openai.url, "stt_model": "whisper-1"}, on_phone=True)
        yield ear
        await ear.aclose()

    async def test_are_told_the_language_the_model_and_the_words(self, ear: Ear, openai: Vendor) -> None:
        await heard(ear, said("yes"))
        asked = openai.wanted("stt")
        assert (asked["model"], asked["language"], asked["prompt"]) == ("whisper-1", "en", "opening hours")

    async def test_fail_where_the_server_refuses(self, ear: Ear, openai: Vendor) -> None:
        openai.fails = 401
        with pytest.raises(EngineFailed, match="whisper-1"):
            await heard(ear, said("yes"))

    async def test_send_no_silence(self, ear: Ear, openai: Vendor) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("yes", before=0.2))
        stream.drop_utterance()
        assert (await stream.finish_utterance()).text == ""
        await stream.aclose()
        assert openai.asked == []


class TestOpenAiVoices(VoicePromise):
    @pytest.fixture
    async def voice(self, engines: InstalledEngines, openai: Vendor) -> AsyncIterator[Voice]:
        agent = {
            "custom_voice_url": openai.url,
            "custom_voice_mode": "openai-compat",
            "tts_model": "kokoro",
            "voice": "ann",
        }
        voice = engines.voice(agent, on_phone=True)
        yield voice
        await voice.aclose()

    async def test_are_asked_for_raw_sound_in_their_voice(self, voice: Voice, openai: Vendor) -> None:
        assert await spoken(voice, "Hello.")
        asked = openai.wanted("tts")
        assert (asked["model"], asked["voice"], asked["response_format"]) == ("kokoro", "ann", "pcm")

    async def test_fail_where_the_server_refuses(self, voice: Voice, openai: Vendor) -> None:
        openai.fails = 500
        with pytest.raises(EngineFailed):
            await spoken(voice, "Hello.")


class TestChatModels:
    async def test_stream_their_answer(self, engines: InstalledEngines, openai: Vendor) -> None:
        mind = engines.mind(
            {"custom_llm_url": openai.url, "llm_model": "llama3", "advanced": {"temperature": 0.2, "maxTokens": 80}}
        )
        assert mind is not None
        context = llm.ChatContext()
        context.add_message(role="user", content="When do you open?")
        async with mind.chat(chat_ctx=context) as answer:
            text = "".join([chunk.delta.content or "" async for chunk in answer if chunk.delta])
        await mind.aclose()
        assert text == "We open at nine."
        asked = openai.wanted("chat")
        assert (asked["model"], asked["temperature"], asked["max_tokens"]) == ("llama3", 0.2, 80)

    async def test_are_none_where_the_playbook_is_enough(self, engines: InstalledEngines) -> None:
        assert engines.mind({"llm_provider": "playbook"}) is None


class TestDeepgramEars(EarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, deepgram: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"custom_transcriber_url": deepgram.url, "stt_model": "nova-3"}, on_phone=True)
        yield ear
        await ear.aclose()

    async def test_are_asked_with_the_key_and_the_words(self, ear: Ear, deepgram: Vendor) -> None:
        await heard(ear, said("yes"))
        asked = deepgram.wanted("stt")
        assert asked["auth"] == "Token dg-key"
        assert (asked["model"], asked["keyterm"], asked["endpointing"]) == ("nova-3", "opening hours", "300")

    @pytest.mark.parametrize(
        ("writing", "asked"),
        [
            ({}, ("true", "false", "false")),
            ({"numerals": True, "masks_profanity": True}, ("true", "true", "true")),
            ({"numerals": False, "masks_profanity": False}, ("false", "false", "false")),
        ],
    )
    async def test_are_told_how_words_are_to_be_written(
        self, ear: Ear, deepgram: Vendor, writing: dict[str, bool], asked: tuple[str, ...]
    ) -> None:
        await heard(ear, said("yes"), vocabulary=replace(VOCABULARY, **writing))
        wanted = deepgram.wanted("stt")
        assert (wanted["smart_format"], wanted["numerals"], wanted["profanity_filter"]) == asked

    async def test_tell_where_speech_begins_and_ends(self, ear: Ear) -> None:
        boundaries: list[bool] = []
        assert ear.abilities.gives_turn_ends
        stream = await ear.listen(VOCABULARY, Listeners(on_boundary=boundaries.append))
        push(stream, said("yes"))

        async def ended() -> bool:
            return boundaries == [True, False]

        await until("the recogniser holds the turn for ended", ended)
        assert (await stream.finish_utterance()).text == "Yes."
        await stream.aclose()

    async def test_fail_when_the_connection_breaks(self, ear: Ear, deepgram: Vendor) -> None:
        deepgram.breaks_off = True
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


class TestFallingBack:
    async def test_hears_the_utterance_again_with_the_next(
        self, engines: InstalledEngines, openai: Vendor, deepgram: Vendor
    ) -> None:
        reports: list[str] = []
        deepgram.fails = 401
        agent = {
            "custom_transcriber_url": deepgram.url,
            "stt_fallback_model": f"openai:{openai.url}#whisper-1",
        }
        ear = engines.ear(agent, on_phone=True, report=reports.append)
        stream = await ear.listen(VOCABULARY, Listeners())
        push(stream, said("opening_hours"))

        async def hears() -> bool:
            result = await stream.finish_utterance()
            push(stream, said("opening_hours"))
            return result.engine.startswith("openai:") and "hours" in result.text

        await until("the next engine hears", hears)
        await stream.aclose()
        await ear.aclose()
        assert len(reports) == 1
        assert "takes over" in reports[0]
        assert "dg-key" not in reports[0]

    async def test_speaks_the_line_again_with_the_next(self, engines: InstalledEngines, openai: Vendor) -> None:
        reports: list[str] = []
        openai.fails = 500
        voice = engines.voice({"tts_model": f"openai:{openai.url}#kokoro"}, report=reports.append)
        rate = voice.sample_rate
        sound = await spoken(voice, "Hello, how can I help you?")
        assert 0.8 < len(sound) / 2 / rate < 5
        assert voice.sample_rate == rate
        assert "espeak:en-us (demo quality) takes over." in reports[0]
        await voice.aclose()

    async def test_never_falls_back_on_a_demo_on_the_phone(self, engines: InstalledEngines, openai: Vendor) -> None:
        openai.fails = 500
        voice = engines.voice({"tts_model": f"openai:{openai.url}#kokoro"}, on_phone=True)
        with pytest.raises(EngineFailed):
            await spoken(voice, "Hello.")
        await voice.aclose()

    async def test_leaves_out_what_is_not_ready_and_says_so(self, engines: InstalledEngines) -> None:
        reports: list[str] = []
        ear = engines.ear({"stt_model": "vosk:en-us"}, report=reports.append)
        assert ear.abilities.name == "pocketsphinx"
        assert "vosk:en-us" in reports[0]
        with pytest.raises(EngineNotReady):
            engines.ear({"stt_model": "vosk:en-us"}, on_phone=True)

    async def test_refuses_what_the_plugin_does_not_take(self, engines: InstalledEngines) -> None:
        agent = {"stt_provider": "google", "stt_model": "latest_long"}
        with pytest.raises((EngineFailed, EngineNotReady)):
            engines.ear(agent, on_phone=True)


class TestAVoiceOfOnesOwn(VoicePromise):
    @pytest.fixture
    async def vendor(self) -> AsyncIterator[Vendor]:
        vendor = Vendor()

        async def say(request: web.Request) -> web.Response:
            body = await request.json()
            vendor.asked.append({"what": "tts", **body})
            if vendor.fails:
                return web.Response(status=vendor.fails)
            sound = tone(body["text"]) if any(sign.isalnum() for sign in body["text"]) else b""
            if body["voice"] == "wav":
                file = header(Shape(24_000, 1), len(sound)) + sound
                return web.Response(body=file, content_type="audio/wav")
            if body["voice"] == "slow":
                return web.Response(body=sound, headers={"Content-Type": "audio/pcm;rate=48000"})
            return web.Response(body=sound if body["voice"] != "odd" else sound + b"\0", content_type="audio/pcm")

        app = web.Application()
        app.router.add_post("/say", say)
        async with served(app) as address:
            vendor.url = f"http://{address}/say"
            yield vendor

    @pytest.fixture
    async def voice(self, engines: InstalledEngines, vendor: Vendor) -> AsyncIterator[Voice]:
        voice = engines.voice({"custom_voice_url": vendor.url, "voice": "ann"}, on_phone=True)
        yield voice
        await voice.aclose()

    @pytest.mark.parametrize(("name", "share"), [("wav", 1.0), ("odd", 1.0), ("slow", 0.5)])
    async def test_is_taken_in_several_shapes(
        self, engines: InstalledEngines, vendor: Vendor, name: str, share: float
    ) -> None:
        voice = engines.voice({"custom_voice_url": vendor.url, "voice": name}, on_phone=True)
        assert len(await spoken(voice, "Hello there.")) == pytest.approx(len(tone("Hello there.")) * share, rel=0.02)

    @pytest.mark.parametrize("status", [302, 404, 503])
    async def test_fails_with_any_other_status(self, voice: Voice, vendor: Vendor, status: int) -> None:
        vendor.fails = status
        with pytest.raises(EngineFailed, match=str(status)):
            await spoken(voice, "Hello.")


class TestTheEnginesOfAProcess:
    async def test_serve_several_calls_at_a_time_and_start_again(self) -> None:
        engines = InstalledEngines(EQUIPMENT)
        await engines.warm()
        voices: list[Any] = [engines.voice({"voice": voice}) for voice in ("en-us", "de", "fr")]
        sounds = await asyncio.gather(*(spoken(voice, "One moment, please.") for voice in voices))
        assert all(sounds)
        await engines.aclose()
        assert await spoken(engines.voice({}), "Hello.")
        await engines.aclose()


NAMES = [
    (Part.EAR, "deepgram:nova-2"),
    (Part.EAR, "deepgram:nova-3"),
    (Part.EAR, "openai"),
    (Part.EAR, "cartesia"),
    (Part.EAR, "elevenlabs"),
    (Part.EAR, "google"),
    (Part.VOICE, "openai"),
    (Part.VOICE, "deepgram"),
    (Part.VOICE, "cartesia"),
    (Part.VOICE, "elevenlabs"),
    (Part.VOICE, "google"),
    (Part.VOICE, "google:chirp@en-US-Chirp3-HD-Kore"),
    (Part.MIND, "openai"),
    (Part.MIND, "anthropic"),
    (Part.MIND, "google"),
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(account_file(tmp_path_factory.mktemp("google")))


class TestEveryProvider:
    @pytest.mark.parametrize(("part", "text"), NAMES)
    async def test_is_made_of_its_name_and_a_key(self, part: Part, text: str, account: str) -> None:
        name = parse(text, part)
        keys = {key: "key" for key in name.entry.keys} | {"GOOGLE_APPLICATION_CREDENTIALS": account}
        access = Access(keys)
        words = Vocabulary(keywords=("opening hours",))
        made: Any
        if part is Part.EAR:
            made = recogniser(name, access, words)
            assert made.capabilities is not None
        elif part is Part.VOICE:
            made = speaker(name, access, "en-US")
            assert made.sample_rate in (16_000, 22_050, 24_000, 44_100, 48_000)
        else:
            made = thinker(name, access, Manner(0.5, 250))
            assert made.model == name.model
        await made.aclose()
        await access.aclose()

    def test_is_loaded_ahead_where_there_is_a_key(self) -> None:
        load_plugins(Equipment({"OPENAI_API_KEY": "sk"}, Path("/nowhere")), Defaults(ear="deepgram:nova-3"))
        assert {"livekit.plugins.openai", "livekit.plugins.deepgram"} <= sys.modules.keys()

"""Names of engines, what an agent wants of them, and whether they are ready: `speech_engines`."""

from pathlib import Path
from typing import Any

import pytest

from rymi_server.entrypoints.settings import Settings
from rymi_server.runtime.session.providers.access import Access
from rymi_server.speech_engines.casting import Defaults, wanted_by
from rymi_server.speech_engines.errors import UnknownEngine
from rymi_server.speech_engines.naming import EngineName, Part, parse
from rymi_server.speech_engines.readiness import Equipment, EquipmentReadiness


def readiness(models: Path = Path("/nowhere"), elsewhere: tuple[str, ...] = (), **keys: str) -> EquipmentReadiness:
    return EquipmentReadiness(Equipment(keys, models), elsewhere)


def without(module: str) -> EquipmentReadiness:
    """Everything is installed but this."""
    equipment = Equipment({"OPENAI_API_KEY": "sk", "DEEPGRAM_API_KEY": "dg"}, Path("/nowhere"))
    return EquipmentReadiness(equipment, installed=lambda name: name != module)


def everything(models: Path, **keys: str) -> EquipmentReadiness:
    return EquipmentReadiness(Equipment(keys, models), installed=lambda _: True)


def ears(**agent: Any) -> list[str]:
    return [str(name) for name in wanted_by(agent).ears]


def voices(**agent: Any) -> list[str]:
    return [str(name) for name in wanted_by(agent).voices]


def minds(**agent: Any) -> list[str]:
    return [str(name) for name in wanted_by(agent).minds]


class TestAName:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("pocketsphinx", EngineName("pocketsphinx")),
            ("espeak:en-us+f3", EngineName("espeak", "en-us+f3")),
            ("vosk:en-us", EngineName("vosk", "en-us")),
            ("sherpa:/models/zipformer", EngineName("sherpa", "/models/zipformer")),
            ("whisper:small.en", EngineName("faster-whisper", "small.en")),
            ("openai:http://host:8000/v1#whisper-1", EngineName("openai", "whisper-1", url="http://host:8000/v1")),
            ("openai:gpt-4o-mini-tts@alloy", EngineName("openai", "gpt-4o-mini-tts", "alloy")),
            ("gemini:@Kore", EngineName("google", voice="Kore")),
            ("Deepgram:nova-3", EngineName("deepgram", "nova-3")),
            ("rymi:https://voice.example/say", EngineName("rymi", url="https://voice.example/say")),
        ],
    )
    def test_is_one_string(self, text: str, name: EngineName) -> None:
        assert parse(text) == name
        assert parse(str(name)) == name

    @pytest.mark.parametrize(
        "text",
        ["", "siri", "siri:x", "vosk:http://host/x", "openai:http://#m", "openai:a\nb", "deepgram:" + "x" * 5_000],
    )
    def test_is_refused_where_it_names_nothing(self, text: str) -> None:
        with pytest.raises(UnknownEngine):
            parse(text)

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("espeak", Part.EAR),
            ("pocketsphinx", Part.VOICE),
            ("anthropic", Part.EAR),
            ("rymi", Part.VOICE),
            ("sherpa", Part.EAR),
        ],
    )
    def test_is_refused_for_what_it_cannot_be(self, text: str, part: Part) -> None:
        with pytest.raises(UnknownEngine):
            parse(text, part)

    def test_is_completed_with_the_engine_s_usual_model(self) -> None:
        assert str(parse("openai", Part.VOICE)) == "openai:gpt-4o-mini-tts@alloy"
        assert str(parse("deepgram", Part.EAR)) == "deepgram:nova-3"


class TestWhatAnAgentWants:
    def test_is_what_needs_nothing_where_it_says_nothing(self) -> None:
        wanted = wanted_by({})
        assert wanted.names() == ["pocketsphinx", "espeak:en-us"]
        assert wanted.minds == ()

    def test_follows_the_operator_s_defaults(self) -> None:
        assert wanted_by({}, Defaults("vosk:en-us", "piper")).names() == ["vosk:en-us", "piper:en_US-lessac-medium"]

    def test_is_a_chain_of_provider_and_fallback(self) -> None:
        assert ears(
            stt_provider="deepgram", stt_model="nova-2", stt_fallback_provider="openai", stt_fallback_model="whisper-1"
        ) == ["deepgram:nova-2", "openai:whisper-1"]

    def test_takes_a_whole_name_for_a_model(self) -> None:
        assert ears(stt_model="vosk:en-us") == ["vosk:en-us"]
        assert voices(tts_model="piper:en_US-amy-low") == ["piper:en_US-amy-low"]

    def test_refuses_a_model_of_nobody(self) -> None:
        with pytest.raises(UnknownEngine, match="provider"):
            ears(stt_model="best-model")
        with pytest.raises(UnknownEngine, match="known are"):
            voices(tts_provider="sarvam")

    def test_takes_addresses_of_its_own(self) -> None:
        assert ears(custom_transcriber_url="https://h/v1", stt_model="whisper-1") == ["openai:https://h/v1#whisper-1"]
        assert ears(custom_transcriber_url="wss://h/v1/listen") == ["deepgram:wss://h/v1/listen#nova-3"]
        assert voices(custom_voice_url="https://h/say", voice="Ann") == ["rymi:https://h/say#@Ann"]
        assert voices(custom_voice_url="https://h/v1", custom_voice_mode="openai-compat", tts_model="kokoro") == [
            "openai:https://h/v1#kokoro"
        ]
        assert minds(custom_llm_url="http://localhost:11434/v1", llm_model="llama3") == [
            "openai:http://localhost:11434/v1#llama3"
        ]

    def test_refuses_a_voice_of_its_own_over_a_socket(self) -> None:
        with pytest.raises(UnknownEngine, match="over http"):
            voices(custom_voice_url="wss://h/say")

    @pytest.mark.parametrize(
        ("agent", "voice"),
        [
            ({"voice": "en-gb+f3"}, "espeak:en+f3"),
            ({"voice": "espeak:de"}, "espeak:de"),
            ({"language": "fr-FR"}, "espeak:fr"),
            ({"voice": "nobody-knows", "language": "es"}, "espeak:es"),
            ({"voice": "alloy"}, "openai:gpt-4o-mini-tts@alloy"),
            ({"voice": "Aoede"}, "google:gemini-2.5-flash-preview-tts@Aoede"),
            ({"tts_provider": "elevenlabs", "voice": "21m0"}, "elevenlabs:eleven_flash_v2_5@21m0"),
            ({"tts_provider": "deepgram", "tts_model": "aura-2-apollo-en", "voice": ""}, "deepgram:aura-2-apollo-en"),
        ],
    )
    def test_speaks_in_the_voice_that_was_chosen(self, agent: dict[str, Any], voice: str) -> None:
        assert voices(**agent) == [voice]

    def test_thinks_with_its_playbook_without_a_model(self) -> None:
        assert minds(llm_provider="playbook") == []
        assert minds(llm_model="playbook") == []
        assert minds(llm_provider="gemini", llm_model="gemini-2.5-flash") == ["google:gemini-2.5-flash"]

    def test_is_never_deaf_or_mute_where_a_demo_may_step_in(self) -> None:
        wanted = wanted_by({"stt_provider": "deepgram", "tts_provider": "openai"}, demo_may_step_in=True)
        assert [str(name) for name in wanted.ears] == ["deepgram:nova-3", "pocketsphinx"]
        assert [str(name) for name in wanted.voices] == ["openai:gpt-4o-mini-tts@alloy", "espeak:en-us"]
        assert [str(name) for name in wanted_by({}, demo_may_step_in=True).ears] == ["pocketsphinx"]


class TestReadiness:
    def test_is_given_for_what_is_installed_with_every_agent(self) -> None:
        assert readiness().missing(["pocketsphinx", "espeak:en-us"]) == []

    def test_says_what_mends_it(self, tmp_path: Path) -> None:
        assert without("livekit.plugins.openai").missing(["openai:whisper-1"]) == [
            "openai:whisper-1: OpenAI is not installed; add the `providers` extra of the rymi package."
        ]
        assert everything(tmp_path).missing(["deepgram:nova-3", "vosk:en-us", "sherpa:/no/where"]) == [
            "deepgram:nova-3: Deepgram needs a key; set DEEPGRAM_API_KEY.",
            "vosk:en-us: its model is not here; run `rymi speech pull vosk:en-us`.",
            "sherpa:/no/where: there is no model of sherpa-onnx in that folder.",
        ]

    def test_needs_no_key_for_an_address_of_one_s_own(self, tmp_path: Path) -> None:
        assert everything(tmp_path).missing(["openai:http://h/v1#whisper-1"]) == []

    def test_needs_the_key_where_the_provider_itself_is_asked(self, tmp_path: Path) -> None:
        assert "ELEVENLABS_API_KEY" in everything(tmp_path).missing(["elevenlabs:https://api.eu.elevenlabs.io/v1"])[0]

    def test_asks_google_for_the_key_that_the_model_takes(self, tmp_path: Path) -> None:
        ready = everything(tmp_path, GOOGLE_API_KEY="k")
        assert ready.missing(["google:gemini-2.5-flash"]) == []
        assert "GOOGLE_APPLICATION_CREDENTIALS" in ready.missing(["google:latest_long"])[0]

    def test_looks_for_google_s_file(self, tmp_path: Path) -> None:
        named = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "google.json")}
        assert "no such file" in everything(tmp_path, **named).missing(["google:latest_long"])[0]
        (tmp_path / "google.json").touch()
        assert everything(tmp_path, **named).missing(["google:latest_long"]) == []

    def test_believes_the_operator_about_other_machines(self) -> None:
        assert readiness(elsewhere=("vosk", "piper:x")).missing(["vosk:de", "piper:x"]) == []

    def test_sees_models_where_they_are(self, tmp_path: Path) -> None:
        for file in (
            "piper/x/x.onnx",
            "piper/x/x.onnx.json",
            "vosk/en-us/am/final.mdl",
            "faster-whisper/s/config.json",
        ):
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).touch()
        missing = everything(tmp_path).missing(["piper:x", "vosk:en-us", "faster-whisper:s"])
        assert [line.split(": ")[0] for line in missing] == ["faster-whisper:s"]

    def test_looks_for_no_model_outside_the_folder(self, tmp_path: Path) -> None:
        (tmp_path / "am").mkdir()
        assert everything(tmp_path / "models").missing(["vosk:../../x", "vosk:.."]) != []

    def test_passes_on_what_names_no_engine(self) -> None:
        assert "known are" in readiness().missing(["siri"])[0]


class TestAKey:
    """Authors of agents name addresses; the keys are the operator's."""

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("openai:gpt-4.1-mini", True),
            ("openai:https://eu.api.openai.com/v1#gpt-4.1-mini", True),
            ("openai:http://127.0.0.1:8000/v1#llama3", True),
            ("openai:https://models.example/v1#llama3", True),
            ("openai:https://evil.example/v1#gpt-4.1-mini", False),
            ("openai:https://openai.com.evil.example/v1#gpt-4.1-mini", False),
            ("openai:https://notopenai.com/v1#gpt-4.1-mini", False),
            ("openai:http://api.openai.com/v1#gpt-4.1-mini", False),
            ("deepgram:wss://evil.example/v1/listen#nova-3", False),
            ("anthropic:https://evil.example#claude", False),
        ],
    )
    def test_goes_to_its_provider_and_to_whom_the_operator_trusts(self, name: str, told: bool) -> None:
        keys = {"OPENAI_API_KEY": "sk", "DEEPGRAM_API_KEY": "sk", "ANTHROPIC_API_KEY": "sk"}
        access = Access(keys, {"models.example"})
        assert access.key_of(parse(name)) == ("sk" if told else "none")


class TestTheSettings:
    def test_trust_hosts_and_those_of_the_defaults(self) -> None:
        settings = Settings(trusted_hosts="A.example, b.example", default_stt="openai:https://c.example/v1#whisper-1")
        assert settings.equipment(Path("/data")).trusted_hosts == {"a.example", "b.example", "c.example"}

    def test_refuse_a_default_that_names_no_engine(self) -> None:
        with pytest.raises(ValueError, match="known are"):
            Settings(default_stt="siri")

    def test_give_keys_by_their_names(self) -> None:
        settings = Settings(openai_api_key="sk-1")
        assert settings.provider_keys()["OPENAI_API_KEY"] == "sk-1"
        assert settings.equipment(Path("/data")).models_folder == Path("/data/models")

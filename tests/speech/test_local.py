"""Engines that run on this machine, through their worker processes. Their packages are stood in for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.speech.ear_promise import EarPromise, heard
from tests.speech.sounding import push, said
from tests.speech.voice_promise import VoicePromise

from rymi_server.runtime.session.providers.installed import InstalledEngines
from rymi_server.speech_engines.errors import EngineFailed, EngineNotReady
from rymi_server.speech_engines.local import local_ear, local_voice
from rymi_server.speech_engines.naming import parse
from rymi_server.speech_engines.promises import Ear, Listeners, Vocabulary, Voice
from rymi_server.speech_engines.readiness import Equipment
from rymi_server.speech_engines.workers.process import WorkerProcess

STAND_INS = str(Path(__file__).parent / "stand_ins")
FILES = {
    "vosk:en-us": ["vosk/en-us/am/final.mdl"],
    "sherpa:zip": [f"sherpa/zip/{name}" for name in ("tokens.txt", "encoder.onnx", "decoder.onnx", "joiner.onnx")],
    "faster-whisper:tiny.en": [
        f"faster-whisper/tiny.en/{name}" for name in ("model.bin", "config.json", "tokenizer.json")
    ],
    "piper:amy": ["piper/amy/amy.onnx", "piper/amy/amy.onnx.json"],
}


def models(folder: Path) -> Path:
    for files in FILES.values():
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text('{"audio": {"sample_rate": 16000}}')
    return folder


class Workers:
    """One for each name, as `InstalledEngines` keeps them."""

    def __init__(self) -> None:
        self.made: dict[str, WorkerProcess] = {}

    def __call__(self, name: str, new: object) -> WorkerProcess:
        if name not in self.made:
            assert callable(new)
            self.made[name] = new()
        return self.made[name]

    async def aclose(self) -> None:
        for worker in self.made.values():
            await worker.aclose()


@pytest.fixture
async def workers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    monkeypatch.setenv("PYTHONPATH", STAND_INS)
    workers = Workers()
    yield workers
    await workers.aclose()


class TestVosk(EarPromise):
    @pytest.fixture
    async def ear(self, tmp_path: Path, workers: Workers) -> Ear:
        return local_ear(parse("vosk:en-us"), models(tmp_path), workers)

    async def test_says_when_words_were_spoken_and_how_sure_it_is(self, ear: Ear) -> None:
        (result,) = await heard(ear, said("yes"))
        assert result.confidence == pytest.approx(0.9)
        assert result.words[0].text == "yes"
        assert result.words[0].started_at_ms is not None

    async def test_places_the_words_of_later_utterances_where_they_were_spoken(self, ear: Ear) -> None:
        first, second = await heard(ear, said("yes"), said("yes"))
        began = first.words[0].started_at_ms
        assert began is not None
        assert second.words[0].started_at_ms == pytest.approx(began + len(said("yes")) / 32, abs=60)


class TestSherpa(EarPromise):
    @pytest.fixture
    async def ear(self, tmp_path: Path, workers: Workers) -> Ear:
        return local_ear(parse("sherpa:zip"), models(tmp_path), workers)


class TestFasterWhisper(EarPromise):
    @pytest.fixture
    async def ear(self, tmp_path: Path, workers: Workers) -> Ear:
        return local_ear(parse("faster-whisper:tiny.en"), models(tmp_path), workers)

    async def test_finds_out_a_language_that_it_has_another_name_for(self, ear: Ear) -> None:
        stream = await ear.listen(Vocabulary("cmn-TW"), Listeners())
        push(stream, said("yes"))
        assert "yes" in (await stream.finish_utterance()).text.lower()
        await stream.aclose()


class TestPiper(VoicePromise):
    @pytest.fixture
    async def voice(self, tmp_path: Path, workers: Workers) -> Voice:
        return local_voice(parse("piper:amy"), models(tmp_path), workers)

    async def test_speaks_at_the_rate_of_its_model(self, voice: Voice) -> None:
        assert voice.sample_rate == 16_000


class TestWhatIsNotReady:
    @pytest.mark.parametrize("missing", FILES["faster-whisper:tiny.en"])
    async def test_is_a_model_that_is_not_whole(self, tmp_path: Path, workers: Workers, missing: str) -> None:
        (models(tmp_path) / missing).unlink()
        with pytest.raises(EngineNotReady, match="faster-whisper"):
            local_ear(parse("faster-whisper:tiny.en"), tmp_path, workers)

    async def test_says_what_is_wrong_with_a_model(self, tmp_path: Path, workers: Workers) -> None:
        (models(tmp_path) / FILES["vosk:en-us"][0]).unlink()
        ear = local_ear(parse("vosk:en-us"), tmp_path, workers)
        with pytest.raises(EngineFailed, match=r"FileNotFoundError.*final\.mdl"):
            await heard(ear, said("yes"))

    async def test_is_a_voice_that_would_fetch_more(self, tmp_path: Path, workers: Workers) -> None:
        described = models(tmp_path) / "piper/amy/amy.onnx.json"
        described.write_text('{"audio": {"sample_rate": 16000}, "phoneme_type": "pinyin"}')
        voice = local_voice(parse("piper:amy"), tmp_path, workers)
        with pytest.raises(EngineFailed, match="further model"):
            [piece async for piece in voice.speak("Hello.")]

    async def test_is_a_model_that_is_not_here(self, tmp_path: Path, workers: Workers) -> None:
        with pytest.raises(EngineNotReady, match="rymi speech pull vosk:de"):
            local_ear(parse("vosk:de"), tmp_path, workers)
        assert workers.made == {}

    async def test_is_a_package_that_is_not_here(self, tmp_path: Path) -> None:
        """The worker of an engine whose package is missing says so in the call's place, and nothing hangs."""
        alone = Workers()
        ear = local_ear(parse("vosk:en-us"), models(tmp_path), alone)
        with pytest.raises(EngineFailed, match="did not start"):
            await heard(ear, said("yes"))
        await alone.aclose()

    async def test_is_refused_by_the_engines_of_a_process(self, tmp_path: Path) -> None:
        engines = InstalledEngines(Equipment({}, tmp_path))
        with pytest.raises(EngineNotReady, match="vosk"):
            engines.ear({"stt_model": "vosk:en-us"}, on_phone=True)
        await engines.aclose()

"""The local engines' own packages with toy models, for those who ask for it: `make local-engines`."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.speech.ear_promise import heard
from tests.speech.sounding import said, silence
from tests.speech.test_local import FILES, Workers
from tests.speech.voice_promise import VoicePromise

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.local import local_ear, local_voice
from rymi_server.speech_engines.naming import parse
from rymi_server.speech_engines.promises import Voice

PACKAGES = Path(sys.prefix) / "local-engines"
pytestmark = pytest.mark.skipif(not PACKAGES.is_dir(), reason="half a gigabyte that `make local-engines` brings")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    toys = Path(__file__).parent / "toy_models.py"
    subprocess.run([sys.executable, str(toys), str(folder)], env={"PYTHONPATH": str(PACKAGES)}, check=True)
    return folder


@pytest.fixture
async def workers(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Workers]:
    monkeypatch.setenv("PYTHONPATH", str(PACKAGES))
    workers = Workers()
    yield workers
    await workers.aclose()


async def used(name: str, models: Path, workers: Workers) -> None:
    if name.startswith("piper"):
        async for _ in local_voice(parse(name), models, workers).speak("Hello."):
            pass
    else:
        await heard(local_ear(parse(name), models, workers), said("yes"))


class TestEars:
    @pytest.mark.parametrize("name", ["sherpa:zip", "faster-whisper:tiny"])
    async def test_hear_one_utterance_after_the_other(self, models: Path, workers: Workers, name: str) -> None:
        ear = local_ear(parse(name), models, workers)
        results = await heard(ear, said("yes"), said("opening_hours"), silence(1))
        assert [each.text for each in results] == ["yes", "yes", ""]
        assert results[0].engine == name

    async def test_say_when_a_word_was_spoken(self, models: Path, workers: Workers) -> None:
        first, second = await heard(local_ear(parse("faster-whisper:tiny"), models, workers), said("yes"), said("yes"))
        assert 0 < (first.words[0].started_at_ms or 0) < len(said("yes")) / 32
        assert (second.words[0].started_at_ms or 0) > len(said("yes")) / 32


class TestPiper(VoicePromise):
    @pytest.fixture
    async def voice(self, models: Path, workers: Workers) -> Voice:
        return local_voice(parse("piper:amy"), models, workers)


class TestABrokenModel:
    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("vosk:en-us", "Failed to create a model"),
            ("sherpa:zip", "Protobuf parsing failed"),
            ("faster-whisper:tiny.en", "model binary"),
            ("piper:amy", "num_symbols"),
        ],
    )
    async def test_is_named_and_why(self, tmp_path: Path, workers: Workers, name: str, why: str) -> None:
        for file in FILES[name]:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text('{"audio": {"sample_rate": 16000}}')
        with pytest.raises(EngineFailed, match=f"{name}.*{why}"):
            await used(name, tmp_path, workers)

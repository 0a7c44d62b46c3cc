"""Google Cloud's recogniser and voices, by their names, over gRPC on this machine."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.speech.ear_promise import VOCABULARY, EarPromise, heard
from tests.speech.google_account import account_file
from tests.speech.google_cloud import Identity, google_cloud, identity
from tests.speech.sounding import push_live, said
from tests.speech.vendors import Vendor
from tests.speech.voice_promise import VoicePromise

from rymi_server.runtime.session.providers.installed import InstalledEngines
from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.promises import Ear, EarStream, Listeners, Voice
from rymi_server.speech_engines.readiness import Equipment

# The plugin reads the account's file in a way that Google's library advises against.
pytestmark = pytest.mark.filterwarnings("ignore:The load_credentials_from_file method:DeprecationWarning")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return identity(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def google(authority: Identity, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vendor]:
    async with google_cloud(authority, monkeypatch) as vendor:
        yield vendor


@pytest.fixture
async def engines(tmp_path: Path) -> AsyncIterator[InstalledEngines]:
    keys = {"GOOGLE_APPLICATION_CREDENTIALS": str(account_file(tmp_path))}
    engines = InstalledEngines(Equipment(keys, Path("/nowhere")))
    yield engines
    await engines.aclose()


class TestGoogleEars(EarPromise):
    @pytest.fixture
    async def ear(self, engines: InstalledEngines, google: Vendor) -> AsyncIterator[Ear]:
        ear = engines.ear({"stt_provider": "google", "stt_model": "latest_long"}, on_phone=True)
        yield ear
        await ear.aclose()

    async def hear(self, stream: EarStream, sound: bytes) -> None:
        await push_live(stream, sound)

    async def test_are_asked_as_the_account_with_the_words(self, ear: Ear, google: Vendor) -> None:
        await heard(ear, said("yes"))
        asked = google.wanted("stt")
        assert asked["auth"].startswith("Bearer ey")
        assert (asked["model"], asked["phrases"]) == ("latest_long", ["opening hours"])

    async def test_are_told_to_mask_swear_words(self, ear: Ear, google: Vendor) -> None:
        await heard(ear, said("yes"), vocabulary=replace(VOCABULARY, masks_profanity=True))
        assert google.wanted("stt")["masks"] is True

    async def test_take_a_draft_for_the_words_where_google_has_not_made_up_its_mind(self, ear: Ear) -> None:
        stream = await ear.listen(VOCABULARY, Listeners())
        await push_live(stream, said("opening_hours", after=0.1))
        first = await stream.finish_utterance()
        await push_live(stream, said("yes", before=1.0))
        second = await stream.finish_utterance()
        await stream.aclose()
        assert (first.text, second.text) == ("What are your opening hours?", "Yes.")


class TestGoogleVoices(VoicePromise):
    @pytest.fixture
    async def voice(self, engines: InstalledEngines, google: Vendor) -> AsyncIterator[Voice]:
        voice = engines.voice({"tts_model": "google:chirp@en-US-Chirp3-HD-Kore"}, on_phone=True)
        yield voice
        await voice.aclose()

    @pytest.mark.parametrize(
        ("name", "voice", "model"),
        [
            ("google:chirp@en-US-Chirp3-HD-Kore", "en-US-Chirp3-HD-Kore", ""),
            ("google:chirp@Puck", "en-GB-Chirp3-HD-Puck", ""),
            ("google:wavenet@en-US-Wavenet-D", "en-US-Wavenet-D", ""),
        ],
    )
    async def test_are_asked_for_by_their_names(
        self, engines: InstalledEngines, google: Vendor, name: str, voice: str, model: str
    ) -> None:
        made = engines.voice({"tts_model": name, "language": "en-GB"}, on_phone=True)
        assert b"".join([piece async for piece in made.speak("Hello.")])
        asked = google.wanted("tts")
        assert (asked["voice"], asked["model"], asked["text"]) == (voice, model, "Hello.")
        assert asked["auth"].startswith("Bearer ey")

    async def test_fail_where_google_refuses(self, voice: Voice, google: Vendor) -> None:
        google.fails = 403
        with pytest.raises(EngineFailed, match="google"):
            [piece async for piece in voice.speak("Hello.")]

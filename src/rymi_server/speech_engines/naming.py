"""The table of engines, and their names: one string says which engine, which model and voice of it, and where it runs.

    pocketsphinx   espeak:en-us+f3   vosk:en-us   sherpa:/models/zipformer   faster-whisper:small.en
    piper:en_US-lessac-medium   deepgram:nova-3   cartesia:sonic-3@VOICE   openai:http://host:8000/v1#whisper-1

It knows no library: processes that never speak read it too.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from rymi_server.speech_engines.errors import UnknownEngine

_LONGEST: Final = 4_096
_SCHEMES: Final = ("http", "https", "ws", "wss")


class Part(StrEnum):
    """What an engine does in a call."""

    EAR = "ear"
    VOICE = "voice"
    MIND = "mind"


class Place(StrEnum):
    # Comes with every agent.
    INSTALLED = "installed"
    # Runs on this machine once its package and a model are here.
    LOCAL = "local"
    # Somebody else's machine.
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Engine:
    name: str
    parts: frozenset[Part]
    place: Place
    label: str
    # What must be importable, and what installs it.
    module: str
    install: str
    # The settings, any of which holds what the provider knows us by.
    keys: tuple[str, ...] = ()
    quality: str = "production"
    default_model: str = ""
    default_voice: str = ""
    # Others speak its protocol at addresses of their own, mostly without a key.
    takes_url: bool = False
    # Where the provider itself is. Its key goes there, and nowhere else that it was not allowed to go.
    home: str = ""
    # `model` names a voice.
    model_is_voice: bool = False


@dataclass(frozen=True, slots=True)
class EngineName:
    engine: str
    model: str = ""
    voice: str = ""
    url: str = ""

    def __str__(self) -> str:
        place = f"{self.url}#" if self.url else ""
        rest = place + self.model + (f"@{self.voice}" if self.voice else "")
        return f"{self.engine}:{rest}" if rest else self.engine

    @property
    def entry(self) -> Engine:
        return ENGINES[self.engine]

    @property
    def host(self) -> str:
        """Of its address; empty where it has none."""
        return (urlsplit(self.url).hostname or "") if self.url else ""

    @property
    def is_at_home(self) -> bool:
        """Whether it is the provider itself that is asked: another of its regions, for one."""
        if not self.url:
            return True
        home = self.entry.home
        encrypted = self.url.startswith(("https://", "wss://"))
        return encrypted and bool(home) and (self.host == home or self.host.endswith(f".{home}"))


def _both() -> frozenset[Part]:
    return frozenset({Part.EAR, Part.VOICE})


_AGENT: Final = "the `agent` extra of the rymi package"
_PROVIDERS: Final = "the `providers` extra of the rymi package"
_SPEECH: Final = "the `speech` extra of the rymi package"

_TABLE: Final = (
    Engine(
        "pocketsphinx", frozenset({Part.EAR}), Place.INSTALLED, "pocketsphinx (demo)", "pocketsphinx", _AGENT,
        quality="demo",
    ),
    Engine(
        "espeak", frozenset({Part.VOICE}), Place.INSTALLED, "espeak-ng (demo)", "espeakng_loader", _AGENT,
        quality="demo", model_is_voice=True,
    ),
    Engine("vosk", frozenset({Part.EAR}), Place.LOCAL, "Vosk", "vosk", _SPEECH, default_model="en-us"),
    Engine("sherpa", frozenset({Part.EAR}), Place.LOCAL, "sherpa-onnx", "sherpa_onnx", _SPEECH),
    Engine(
        "faster-whisper", frozenset({Part.EAR}), Place.LOCAL, "faster-whisper", "faster_whisper", _SPEECH,
        default_model="small.en",
    ),
    Engine(
        "piper", frozenset({Part.VOICE}), Place.LOCAL, "Piper", "piper", _SPEECH,
        default_model="en_US-lessac-medium", model_is_voice=True,
    ),
    Engine(
        "openai", frozenset(Part), Place.REMOTE, "OpenAI", "livekit.plugins.openai", _PROVIDERS,
        keys=("OPENAI_API_KEY",), default_voice="alloy", takes_url=True, home="openai.com",
    ),
    Engine(
        "deepgram", _both(), Place.REMOTE, "Deepgram", "livekit.plugins.deepgram", _PROVIDERS,
        keys=("DEEPGRAM_API_KEY",), takes_url=True, home="deepgram.com",
    ),
    Engine(
        "cartesia", _both(), Place.REMOTE, "Cartesia", "livekit.plugins.cartesia", _PROVIDERS,
        keys=("CARTESIA_API_KEY",), default_voice="f786b574-daa5-4673-aa0c-cbe3e8534c02", takes_url=True,
        home="cartesia.ai",
    ),
    Engine(
        "elevenlabs", _both(), Place.REMOTE, "ElevenLabs", "livekit.plugins.elevenlabs", _PROVIDERS,
        keys=("ELEVENLABS_API_KEY",), default_voice="21m00Tcm4TlvDq8ikWAM", takes_url=True, home="elevenlabs.io",
    ),
    Engine(
        "google", frozenset(Part), Place.REMOTE, "Google", "livekit.plugins.google", _PROVIDERS,
        keys=("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY"), default_voice="Kore",
    ),
    Engine(
        "anthropic", frozenset({Part.MIND}), Place.REMOTE, "Anthropic", "livekit.plugins.anthropic", _PROVIDERS,
        keys=("ANTHROPIC_API_KEY",), takes_url=True, home="anthropic.com",
    ),
    Engine("rymi", frozenset({Part.VOICE}), Place.REMOTE, "A voice of your own", "httpx", _AGENT, takes_url=True),
)  # fmt: skip
ENGINES: Final = {entry.name: entry for entry in _TABLE}
ALIASES: Final = {
    "gemini": "google",
    "whisper": "faster-whisper",
    "faster_whisper": "faster-whisper",
    "sherpa-onnx": "sherpa",
    "espeak-ng": "espeak",
    "eleven": "elevenlabs",
    "eleven_labs": "elevenlabs",
    "claude": "anthropic",
}
DEFAULT_MODELS: Final = {
    ("openai", Part.EAR): "gpt-4o-mini-transcribe",
    ("openai", Part.VOICE): "gpt-4o-mini-tts",
    ("openai", Part.MIND): "gpt-4.1-mini",
    ("deepgram", Part.EAR): "nova-3",
    ("deepgram", Part.VOICE): "aura-2-thalia-en",
    ("cartesia", Part.EAR): "ink-whisper",
    ("cartesia", Part.VOICE): "sonic-3",
    ("elevenlabs", Part.EAR): "scribe_v2_realtime",
    ("elevenlabs", Part.VOICE): "eleven_flash_v2_5",
    ("google", Part.EAR): "latest_long",
    ("google", Part.VOICE): "gemini-2.5-flash-preview-tts",
    ("google", Part.MIND): "gemini-2.5-flash",
    ("anthropic", Part.MIND): "claude-haiku-4-5",
}


# Every call that begins asks about the same few.
@lru_cache(maxsize=1024)
def parse(name: str, part: Part | None = None) -> EngineName:
    """Raise `UnknownEngine`. With `part`, an engine that cannot be that is unknown, and its model is filled in."""
    text = name.strip()
    if not text or len(text) > _LONGEST or any(ord(sign) < 32 for sign in text):
        raise UnknownEngine(name[:80], "it is empty, too long, or holds control characters.")
    engine, _, rest = text.partition(":")
    engine = ALIASES.get(engine.lower(), engine.lower())
    entry = ENGINES.get(engine)
    if entry is None:
        raise UnknownEngine(name, f"known are {', '.join(sorted(ENGINES))}.")
    if part is not None and part not in entry.parts:
        raise UnknownEngine(name, f"{entry.label} cannot be the {part} of an agent.")
    url, rest = _url(name, entry, rest)
    model, _, voice = rest.partition("@")
    found = EngineName(engine, model, voice, url)
    return found if part is None else _completed(found, part)


def _url(name: str, entry: Engine, rest: str) -> tuple[str, str]:
    scheme, separator, _ = rest.partition("://")
    if not separator or scheme not in _SCHEMES:
        return "", rest
    if not entry.takes_url:
        raise UnknownEngine(name, f"{entry.label} runs at no address of yours.")
    url, _, model = rest.partition("#")
    if not urlsplit(url).hostname:
        raise UnknownEngine(name, "its address has no host.")
    return url, model


def _completed(name: EngineName, part: Part) -> EngineName:
    entry = name.entry
    model = name.model or DEFAULT_MODELS.get((name.engine, part), entry.default_model)
    # Other servers that speak OpenAI's protocol have voices of their own.
    has_its_voices = name.engine != "openai" or not name.url
    voice = name.voice or (entry.default_voice if part is Part.VOICE and has_its_voices else "")
    if entry.name == "rymi" and not name.url:
        raise UnknownEngine(str(name), "a voice of your own is named by its address.")
    if entry.name == "sherpa" and not model:
        raise UnknownEngine(str(name), "name the folder of its model, such as `sherpa:/models/zipformer`.")
    return replace(name, model=model, voice=voice)

"""Models and voices that are offered for choosing. A list to pick from, not a limit: an agent takes any name.

What works without an account comes first. It is of demonstration quality, and its labels say so.
"""

from dataclasses import dataclass

PLAYBOOK_PROVIDER = "playbook"
ESPEAK_PROVIDER = "espeak"


@dataclass(frozen=True, slots=True)
class Model:
    id: str
    provider: str
    label: str
    # Whether the operator must have given this installation a key of that provider.
    needs_key: bool = True


@dataclass(frozen=True, slots=True)
class Voice:
    id: str
    provider: str
    name: str
    label: str
    gender: str | None = None
    models: tuple[str, ...] = ()
    needs_key: bool = True


MODELS = (
    Model("playbook", PLAYBOOK_PROVIDER, "Playbook, no model (demo)", needs_key=False),
    Model("gpt-4.1", "openai", "GPT-4.1"),
    Model("gpt-4.1-mini", "openai", "GPT-4.1 mini"),
    Model("gpt-4.1-nano", "openai", "GPT-4.1 nano"),
    Model("gpt-4o", "openai", "GPT-4o"),
    Model("gpt-4o-mini", "openai", "GPT-4o mini"),
    Model("gpt-5", "openai", "GPT-5"),
    Model("gpt-5-mini", "openai", "GPT-5 mini"),
    Model("claude-opus-4-5", "anthropic", "Claude Opus 4.5"),
    Model("claude-sonnet-4-5", "anthropic", "Claude Sonnet 4.5"),
    Model("claude-haiku-4-5", "anthropic", "Claude Haiku 4.5"),
    Model("gemini-2.5-pro", "gemini", "Gemini 2.5 Pro"),
    Model("gemini-2.5-flash", "gemini", "Gemini 2.5 Flash"),
    Model("gemini-2.5-flash-lite", "gemini", "Gemini 2.5 Flash-Lite"),
)


def _espeak(voice: str, language: str, gender: str) -> Voice:
    return Voice(voice, ESPEAK_PROVIDER, voice, f"{language} (demo)", gender, (ESPEAK_PROVIDER,), needs_key=False)


def _openai(name: str, gender: str) -> Voice:
    return Voice(name, "openai", name.capitalize(), f"{name.capitalize()} (OpenAI)", gender, ("gpt-4o-mini-tts",))


def _gemini(name: str, gender: str) -> Voice:
    models = ("gemini-2.5-flash-preview-tts", "gemini-2.5-pro-preview-tts")
    return Voice(name, "gemini", name, f"{name} (Gemini)", gender, models)


def _deepgram(name: str, gender: str) -> Voice:
    voice = f"aura-2-{name.lower()}-en"
    return Voice(voice, "deepgram", name, f"{name} (Deepgram Aura 2)", gender, (voice,))


def _elevenlabs(voice: str, name: str, gender: str) -> Voice:
    models = ("eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_multilingual_v2")
    return Voice(voice, "elevenlabs", name, f"{name} (ElevenLabs)", gender, models)


def _cartesia(voice: str, name: str, gender: str) -> Voice:
    return Voice(voice, "cartesia", name, f"{name} (Cartesia)", gender, ("sonic-2", "sonic-3"))


VOICES = (
    _espeak("en-us", "American English", "male"),
    _espeak("en-us+f3", "American English", "female"),
    _espeak("en-gb", "British English", "male"),
    _espeak("en-gb+f3", "British English", "female"),
    _espeak("de", "German", "male"),
    _espeak("es", "Spanish", "male"),
    _espeak("fr", "French", "male"),
    _espeak("hi", "Hindi", "male"),
    _openai("alloy", "neutral"),
    _openai("ash", "male"),
    _openai("coral", "female"),
    _openai("echo", "male"),
    _openai("nova", "female"),
    _openai("onyx", "male"),
    _openai("sage", "female"),
    _openai("shimmer", "female"),
    _gemini("Aoede", "female"),
    _gemini("Charon", "male"),
    _gemini("Fenrir", "male"),
    _gemini("Kore", "female"),
    _gemini("Leda", "female"),
    _gemini("Puck", "male"),
    _deepgram("Thalia", "female"),
    _deepgram("Andromeda", "female"),
    _deepgram("Helena", "female"),
    _deepgram("Apollo", "male"),
    _deepgram("Arcas", "male"),
    _deepgram("Aries", "male"),
    _elevenlabs("21m00Tcm4TlvDq8ikWAM", "Rachel", "female"),
    _elevenlabs("EXAVITQu4vr4xnSDxMaL", "Sarah", "female"),
    _elevenlabs("JBFqnCBsd6RMkjVDRZzb", "George", "male"),
    _elevenlabs("nPczCjzI2devNBz1zQrb", "Brian", "male"),
    _elevenlabs("onwK4e9ZLuTAKqWW03F9", "Daniel", "male"),
    _elevenlabs("XB0fDUnXU5powFXDhCwa", "Charlotte", "female"),
    _cartesia("f786b574-daa5-4673-aa0c-cbe3e8534c02", "Katie", "female"),
    _cartesia("a0e99841-438c-4a64-b679-ae501e7d6091", "Barbershop Man", "male"),
    _cartesia("79a125e8-cd45-4c13-8a67-188112f4dd22", "British Lady", "female"),
    _cartesia("694f9389-aac1-45b6-b726-9d9369183238", "Sarah", "female"),
)

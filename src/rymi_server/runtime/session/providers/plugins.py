"""Makes a provider's plugin out of an engine's name and a key. Plugins are loaded when they are first needed."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from livekit.agents import llm, stt, tts

from rymi_server.runtime.session.providers.access import Access
from rymi_server.runtime.session.providers.manner import Manner
from rymi_server.speech_engines.casting import Defaults
from rymi_server.speech_engines.errors import EngineFailed, EngineNotReady
from rymi_server.speech_engines.naming import ENGINES, EngineName, Place, parse
from rymi_server.speech_engines.promises import HEARING_RATE, Vocabulary
from rymi_server.speech_engines.readiness import Equipment, is_installed

_ENDPOINTING_MS: Final = 300
_UTTERANCE_END_MS: Final = 1_000
_MOST_KEYWORDS: Final = 100
# How much likelier a word is for having been named: Google's own advice for a start.
_GOOGLE_BOOST: Final = 10.0


def load_plugins(equipment: Equipment, defaults: Defaults) -> None:
    """Those that calls may ask for, because there is a key or they are the default: a call shall not wait for them."""
    by_default = {parse(name).engine for name in (defaults.ear, defaults.voice)}
    for entry in ENGINES.values():
        has_key = any(equipment.keys.get(key) for key in entry.keys)
        if entry.place is Place.REMOTE and (has_key or entry.name in by_default) and is_installed(entry.module):
            importlib.import_module(entry.module)


def recogniser(name: EngineName, access: Access, vocabulary: Vocabulary) -> stt.STT[Any]:
    """Raise `EngineFailed`, `EngineNotReady`."""
    made: stt.STT[Any] = _made(name, _RECOGNISERS, access, vocabulary)
    return made


def speaker(name: EngineName, access: Access, language: str) -> tts.TTS[Any]:
    made: tts.TTS[Any] = _made(name, _SPEAKERS, access, language)
    return made


def thinker(name: EngineName, access: Access, manner: Manner) -> llm.LLM[Any]:
    made: llm.LLM[Any] = _made(name, _THINKERS, access, manner)
    return made


def _made(name: EngineName, makers: Mapping[str, Callable[..., Any]], *given: Any) -> Any:
    try:
        plugin = importlib.import_module(name.entry.module)
    except ImportError as error:
        raise EngineNotReady([f"{name}: {name.entry.label} is not installed; add {name.entry.install}."]) from error
    try:
        return makers[name.engine](plugin, name, *given)
    except (ValueError, TypeError, OSError) as error:
        # What the plugin does not accept: a model that it does not know, an unreadable file of credentials.
        raise EngineFailed(str(name), str(error), retryable=False) from error


def _url(name: EngineName, argument: str = "base_url") -> dict[str, str]:
    return {argument: name.url} if name.url else {}


def _keywords(vocabulary: Vocabulary) -> list[str]:
    return list(vocabulary.keywords[:_MOST_KEYWORDS])


# --- those that hear -------------------------------------------------------------------------------------------------


def _openai_ear(plugin: Any, name: EngineName, access: Access, vocabulary: Vocabulary) -> stt.STT[Any]:
    words = ", ".join(_keywords(vocabulary))
    more: dict[str, Any] = {"prompt": words} if words else {}
    return plugin.STT(  # type: ignore[no-any-return]
        model=name.model, language=vocabulary.language, client=access.client(name), use_realtime=False, **more
    )


def _deepgram_ear(plugin: Any, name: EngineName, access: Access, vocabulary: Vocabulary) -> stt.STT[Any]:
    words = _keywords(vocabulary)
    more: dict[str, Any] = {}
    if words and name.model.startswith("nova-3"):
        more["keyterm"] = words
    elif words:
        more["keywords"] = [(word, 1.0) for word in words]
    if vocabulary.numerals is not None:
        more["numerals"] = vocabulary.numerals
    if vocabulary.masks_profanity is not None:
        more["profanity_filter"] = vocabulary.masks_profanity
    return plugin.STT(  # type: ignore[no-any-return]
        model=name.model,
        language=vocabulary.language,
        api_key=access.key_of(name),
        http_session=access.http,
        sample_rate=HEARING_RATE,
        # Writes numbers as figures as well, among other things.
        smart_format=vocabulary.numerals is not False,
        endpointing_ms=_ENDPOINTING_MS,
        utterance_end_ms=_UTTERANCE_END_MS,
        **_url(name),
        **more,
    )


def _cartesia_ear(plugin: Any, name: EngineName, access: Access, vocabulary: Vocabulary) -> stt.STT[Any]:
    language = vocabulary.language.partition("-")[0]
    return plugin.STT(  # type: ignore[no-any-return]
        model=name.model, language=language, api_key=access.key_of(name), http_session=access.http, **_url(name)
    )


def _elevenlabs_ear(plugin: Any, name: EngineName, access: Access, vocabulary: Vocabulary) -> stt.STT[Any]:
    language = vocabulary.language.partition("-")[0]
    return plugin.STT(  # type: ignore[no-any-return]
        model=name.model,
        language_code=language,
        api_key=access.key_of(name),
        http_session=access.http,
        **_url(name),
    )


def _google_ear(plugin: Any, name: EngineName, access: Access, vocabulary: Vocabulary) -> stt.STT[Any]:
    words = _keywords(vocabulary)
    more: dict[str, Any] = {"keywords": [(word, _GOOGLE_BOOST) for word in words]} if words else {}
    if vocabulary.masks_profanity is not None:
        more["profanity_filter"] = vocabulary.masks_profanity
    # Google tells no confidence of drafts, and the plugin would keep from us what is not sure enough.
    return plugin.STT(  # type: ignore[no-any-return]
        model=name.model,
        languages=vocabulary.language,
        sample_rate=HEARING_RATE,
        min_confidence_threshold=0.0,
        **more,
        **_google_credentials(access),
    )


# --- those that speak ------------------------------------------------------------------------------------------------


def _openai_voice(plugin: Any, name: EngineName, access: Access, _: str) -> tts.TTS[Any]:
    more: dict[str, Any] = {"voice": name.voice} if name.voice else {}
    model = {"model": name.model} if name.model else {}
    # Headerless sound: nothing to decode, and the first of it can be played at once.
    return plugin.TTS(client=access.client(name), response_format="pcm", **model, **more)  # type: ignore[no-any-return]


def _deepgram_voice(plugin: Any, name: EngineName, access: Access, _: str) -> tts.TTS[Any]:
    return plugin.TTS(  # type: ignore[no-any-return]
        model=name.model, api_key=access.key_of(name), http_session=access.http, **_url(name)
    )


def _cartesia_voice(plugin: Any, name: EngineName, access: Access, language: str) -> tts.TTS[Any]:
    return plugin.TTS(  # type: ignore[no-any-return]
        model=name.model,
        voice=name.voice,
        language=language.partition("-")[0] or "en",
        api_key=access.key_of(name),
        http_session=access.http,
        **_url(name),
    )


def _elevenlabs_voice(plugin: Any, name: EngineName, access: Access, _: str) -> tts.TTS[Any]:
    return plugin.TTS(  # type: ignore[no-any-return]
        model=name.model,
        voice_id=name.voice,
        encoding="pcm_24000",
        api_key=access.key_of(name),
        http_session=access.http,
        **_url(name),
    )


def _google_voice(plugin: Any, name: EngineName, access: Access, language: str) -> tts.TTS[Any]:
    if name.model.startswith("gemini"):
        key = access.keys.get("GOOGLE_API_KEY", "")
        return plugin.beta.GeminiTTS(model=name.model, voice_name=name.voice, api_key=key)  # type: ignore[no-any-return]
    language = language or "en-US"
    # Voices of a language are called after it; those that speak all of them are told which.
    voice = name.voice if "-" in name.voice else f"{language}-Chirp3-HD-{name.voice}"
    more: dict[str, Any] = _google_credentials(access)
    if "chirp" not in voice.lower():
        # The plugin would ask for a model that these voices do not know.
        more["model_name"] = ""
    return plugin.TTS(voice_name=voice, language=language, **more)  # type: ignore[no-any-return]


def _google_credentials(access: Access) -> dict[str, str]:
    file = access.keys.get("GOOGLE_APPLICATION_CREDENTIALS", "")
    return {"credentials_file": file} if file else {}


# --- those that think ------------------------------------------------------------------------------------------------


def _openai_mind(plugin: Any, name: EngineName, access: Access, manner: Manner) -> llm.LLM[Any]:
    # Servers of one's own mostly know the older word only.
    if name.url and manner.most_tokens is not None:
        more: dict[str, Any] = {"extra_body": {"max_tokens": manner.most_tokens}}
        manner = replace(manner, most_tokens=None)
    else:
        more = {}
    given = manner.given("max_completion_tokens")
    return plugin.LLM(model=name.model, client=access.client(name), **given, **more)  # type: ignore[no-any-return]


def _anthropic_mind(plugin: Any, name: EngineName, access: Access, manner: Manner) -> llm.LLM[Any]:
    key, given = access.key_of(name), manner.given("max_tokens")
    return plugin.LLM(model=name.model, api_key=key, client=access.client(name), **given)  # type: ignore[no-any-return]


def _google_mind(plugin: Any, name: EngineName, access: Access, manner: Manner) -> llm.LLM[Any]:
    key, given = access.keys.get("GOOGLE_API_KEY", ""), manner.given("max_output_tokens")
    return plugin.LLM(model=name.model, api_key=key, **given)  # type: ignore[no-any-return]


_RECOGNISERS: Final = {
    "openai": _openai_ear,
    "deepgram": _deepgram_ear,
    "cartesia": _cartesia_ear,
    "elevenlabs": _elevenlabs_ear,
    "google": _google_ear,
}
_SPEAKERS: Final = {
    "openai": _openai_voice,
    "deepgram": _deepgram_voice,
    "cartesia": _cartesia_voice,
    "elevenlabs": _elevenlabs_voice,
    "google": _google_voice,
}
_THINKERS: Final = {"openai": _openai_mind, "anthropic": _anthropic_mind, "google": _google_mind}

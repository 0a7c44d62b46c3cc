"""Which engines an agent wants, in the order they are tried: from its fields, as the API took them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rymi_server.agents.catalog import ESPEAK_PROVIDER, PLAYBOOK_PROVIDER, VOICES
from rymi_server.speech_engines.errors import UnknownEngine
from rymi_server.speech_engines.espeak_names import voice_named
from rymi_server.speech_engines.naming import ALIASES, ENGINES, EngineName, Part, Place, parse

_FIELDS: Final = {Part.EAR: "stt", Part.VOICE: "tts", Part.MIND: "llm"}


@dataclass(frozen=True, slots=True)
class Defaults:
    """For agents that say nothing."""

    ear: str = "pocketsphinx"
    voice: str = "espeak"


@dataclass(frozen=True, slots=True)
class Wanted:
    """First choice first. No minds: the playbook answers, without a model."""

    ears: tuple[EngineName, ...]
    voices: tuple[EngineName, ...]
    minds: tuple[EngineName, ...]

    def names(self) -> list[str]:
        """Each once, for asking whether they are ready."""
        return list(dict.fromkeys(str(name) for name in (*self.ears, *self.voices, *self.minds)))


def wanted_by(agent: Mapping[str, Any], defaults: Defaults | None = None, *, demo_may_step_in: bool = False) -> Wanted:
    """Raise `UnknownEngine`.

    With `demo_may_step_in` an installed engine of demonstration quality is the last of a chain, so that the agent is
    never deaf or mute. It is not for phone calls, where nobody could tell why the agent has become so bad.
    """
    chosen = defaults or Defaults()
    ears = _ears(agent) or (parse(chosen.ear, Part.EAR),)
    voices = _voices(agent) or (_spoken(parse(chosen.voice, Part.VOICE), agent),)
    if demo_may_step_in:
        ears = _and(ears, parse("pocketsphinx", Part.EAR))
        voices = _and(voices, _spoken(parse("espeak", Part.VOICE), {"language": agent.get("language")}))
    return Wanted(ears, voices, _minds(agent))


def _and(names: tuple[EngineName, ...], last: EngineName) -> tuple[EngineName, ...]:
    if any(name.entry.place is Place.INSTALLED for name in names):
        return names
    return (*names, last)


def _ears(agent: Mapping[str, Any]) -> tuple[EngineName, ...]:
    url = _text(agent, "custom_transcriber_url")
    model = _text(agent, "stt_model")
    own = []
    if url:
        # Deepgram's protocol where sound is streamed, OpenAI's where an utterance is posted.
        engine = "deepgram" if url.startswith(("ws://", "wss://")) else "openai"
        own.append(parse(f"{engine}:{url}#{'' if ':' in model else model}", Part.EAR))
    return (*own, *_named(agent, Part.EAR, skip_first=bool(url)))


def _voices(agent: Mapping[str, Any]) -> tuple[EngineName, ...]:
    url, voice = _text(agent, "custom_voice_url"), _text(agent, "voice")
    if not url:
        first = tuple(_spoken(name, agent) for name in _named(agent, Part.VOICE))
        return first or _by_voice_alone(voice)
    if url.startswith(("ws://", "wss://")):
        raise UnknownEngine(url, "a voice of your own is asked over http or https.")
    model = _text(agent, "tts_model")
    engine = "openai" if _text(agent, "custom_voice_mode") == "openai-compat" else "rymi"
    own = parse(f"{engine}:{url}#{model if ':' not in model else ''}", Part.VOICE)
    others = tuple(
        _spoken(name, {"language": agent.get("language")}) for name in _named(agent, Part.VOICE, skip_first=True)
    )
    return (replace(own, voice=voice), *others)


def _minds(agent: Mapping[str, Any]) -> tuple[EngineName, ...]:
    url, model = _text(agent, "custom_llm_url"), _text(agent, "llm_model")
    if url:
        own = parse(f"openai:{url}#{'' if ':' in model else model}", Part.MIND)
        return (own, *_named(agent, Part.MIND, skip_first=True))
    return _named(agent, Part.MIND)


def _named(agent: Mapping[str, Any], part: Part, *, skip_first: bool = False) -> tuple[EngineName, ...]:
    field = _FIELDS[part]
    pairs = [] if skip_first else [(_text(agent, f"{field}_provider"), _text(agent, f"{field}_model"))]
    pairs.append((_text(agent, f"{field}_fallback_provider"), _text(agent, f"{field}_fallback_model")))
    found = [_one(provider, model, part) for provider, model in pairs]
    return tuple(dict.fromkeys(name for name in found if name is not None))


def _one(provider: str, model: str, part: Part) -> EngineName | None:
    if part is Part.MIND and PLAYBOOK_PROVIDER in (provider, model):
        return None
    if provider:
        same = model.lower() in (provider.lower(), ALIASES.get(provider.lower(), ""))
        return parse(provider if not model or same else f"{provider}:{model}", part)
    if not model:
        return None
    # Without a provider the model is a whole name.
    head = model.partition(":")[0].lower()
    if ":" in model or ALIASES.get(head, head) in ENGINES:
        return parse(model, part)
    raise UnknownEngine(model, "name its provider too, or write it as `provider:model`.")


def _spoken(name: EngineName, agent: Mapping[str, Any]) -> EngineName:
    """With the agent's voice. Where a voice is all that an engine chooses from, it is the model."""
    voice, language = _text(agent, "voice"), _text(agent, "language")
    if name.engine == "espeak":
        spoken = (
            voice_named(name.model) if name.model else voice_named(voice.removeprefix("espeak:") or language or None)
        )
        return replace(name, model=spoken or voice_named(language) or "en-us", voice="")
    if name.entry.model_is_voice or name.engine == "deepgram":
        return name
    return replace(name, voice=voice) if voice else name


def _by_voice_alone(voice: str) -> tuple[EngineName, ...]:
    """A voice may be a whole name, such as `espeak:en-us+f3`, or one of the catalog's; else the default engine's."""
    head, separator, _ = voice.partition(":")
    if separator and ALIASES.get(head.lower(), head.lower()) in ENGINES:
        return (parse(voice, Part.VOICE),)
    for offered in VOICES:
        if offered.id == voice and offered.provider != ESPEAK_PROVIDER:
            is_model = offered.id in offered.models
            return (parse(f"{offered.provider}:{voice if is_model else '@' + voice}", Part.VOICE),)
    return ()


def _text(agent: Mapping[str, Any], field: str) -> str:
    value = agent.get(field)
    return value.strip() if isinstance(value, str) else ""

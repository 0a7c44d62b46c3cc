"""Whether an agent hears or speaks with the engines that need no account, so that the page can say what to expect."""

from collections.abc import Mapping
from typing import Any

_BUILT_IN = frozenset({None, "", "espeak", "pocketsphinx", "vosk", "playbook", "demo"})


def is_demo(config: Mapping[str, Any]) -> bool:
    hears = config.get("custom_transcriber_url") or config.get("stt_provider") not in _BUILT_IN
    speaks = config.get("custom_voice_url") or config.get("tts_provider") not in _BUILT_IN
    return not (hears and speaks)

"""In place of Piper, whose voices cannot be had without a network. It has what our adapter uses of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass
class Config:
    phoneme_type: str = "espeak"


@dataclass
class AudioChunk:
    audio_int16_bytes: bytes


class PiperVoice:
    @classmethod
    def load(cls, model: str, config_path: str) -> "PiperVoice":
        open(model).close()
        with open(config_path) as described:
            voice = cls()
            voice.config = Config(json.load(described).get("phoneme_type", "espeak"))
        return voice

    config: Config

    def phonemize(self, text: str) -> list[list[str]]:
        return [list(text)]

    def synthesize(self, text: str) -> Iterator[AudioChunk]:
        if any(sign.isalnum() for sign in text):
            t = np.arange(int(16_000 * (0.3 + 0.05 * len(text)))) / 16_000
            yield AudioChunk((np.sin(2 * np.pi * 300 * t) * 8_000).astype(np.int16).tobytes())

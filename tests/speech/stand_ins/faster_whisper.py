"""In place of faster-whisper, whose models cannot be had without a network. It has what our adapter uses of it."""

from dataclasses import dataclass, field

import numpy as np
from loudness import recognised


@dataclass
class Word:
    word: str
    probability: float = 0.9
    start: float = 0.1
    end: float = 0.4


@dataclass
class Segment:
    text: str
    no_speech_prob: float = 0.1
    avg_logprob: float = -0.2
    words: list[Word] = field(default_factory=list)


class WhisperModel:
    def __init__(self, path: str, device: str, compute_type: str, local_files_only: bool) -> None:
        assert local_files_only, "a call never downloads anything"
        open(f"{path}/model.bin").close()

    @property
    def supported_languages(self) -> list[str]:
        return ["en", "de"]

    def transcribe(self, sound: np.ndarray, *, language: str | None, **more: object) -> tuple[list[Segment], None]:
        assert language in (None, "en"), "it refuses languages that it does not know"
        text = recognised(sound * 32_768)
        if not text:
            # It makes words of silence, and knows.
            return [Segment("Thanks for watching!", no_speech_prob=0.9)], None
        return [Segment(f" {text}", words=[Word(f" {word}") for word in text.split()])], None

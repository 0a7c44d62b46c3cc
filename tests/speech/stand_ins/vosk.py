"""In place of Vosk, whose models cannot be had without a network. It has what our adapter uses of it."""

import json

import numpy as np
from loudness import recognised


def SetLogLevel(level: int) -> None:  # noqa: N802 - Vosk's own name
    pass


class Model:
    def __init__(self, model_path: str) -> None:
        open(f"{model_path}/am/final.mdl").close()


class KaldiRecognizer:
    def __init__(self, model: Model, rate: int) -> None:
        assert rate == 16_000
        self._sound = bytearray()
        self._before_s = 0.0
        self._words = False

    def SetWords(self, on: bool) -> None:  # noqa: N802 - Vosk's own name
        self._words = on

    def AcceptWaveform(self, pcm: bytes) -> bool:  # noqa: N802 - Vosk's own name
        """It ends an utterance by itself after half a second of silence."""
        self._sound += pcm
        return len(self._sound) > 32_000 and bool(self._text()) and not recognised(self._samples()[-8_000:])

    def PartialResult(self) -> str:  # noqa: N802 - Vosk's own name
        return json.dumps({"partial": self._text()})

    def Result(self) -> str:  # noqa: N802 - Vosk's own name
        """Times are those of all the sound that it has heard since it was made."""
        start, end = self._before_s + 0.1, self._before_s + 0.4
        words = [{"word": word, "conf": 0.9, "start": start, "end": end} for word in self._text().split()]
        result = json.dumps({"text": self._text(), "result": words} if words else {"text": ""})
        self.Reset()
        return result

    def FinalResult(self) -> str:  # noqa: N802 - Vosk's own name
        return self.Result()

    def Reset(self) -> None:  # noqa: N802 - Vosk's own name
        self._before_s += len(self._sound) / 32_000
        self._sound.clear()

    def _samples(self) -> np.ndarray:
        return np.frombuffer(bytes(self._sound), np.int16)

    def _text(self) -> str:
        return recognised(self._samples())

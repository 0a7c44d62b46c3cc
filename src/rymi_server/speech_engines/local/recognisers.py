"""Vosk, sherpa-onnx and faster-whisper as recognisers of one person's utterances. What they load is handed in."""

import json
import math
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from rymi_server.speech_engines.onset import Onset
from rymi_server.speech_engines.promises import FRAME_MS, HEARING_RATE

_FRAME_BYTES: Final = HEARING_RATE * FRAME_MS // 1_000 * 2
_BYTES_A_MS: Final = HEARING_RATE * 2 // 1_000
_DRAFT_EVERY_MS: Final = 200
# What a streaming model needs after the last word to give it out.
_TAIL_S: Final = 0.6
# faster-whisper's own measure of how likely it has heard nothing at all.
_NO_SPEECH: Final = 0.6
_MOST_MS: Final = 300_000

Result = dict[str, Any]


class Decoder(Protocol):
    """One person's, in one engine."""

    def feed(self, pcm: bytes) -> None: ...

    def draft(self) -> str | None:
        """The words so far; None where the engine tells them only at the end."""
        ...

    def end(self, began_ms: int) -> Result:
        """The utterance is over; the next begins."""
        ...

    def reset(self) -> None: ...


class Utterances:
    """Cuts silence away before the decoder, and says drafts when they have changed."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._onset = Onset()
        self._heard_ms = self._fed_ms = self._drafted_ms = 0
        self._draft = ""

    def hear(self, audio: bytes) -> str | None:
        for at in range(0, len(audio) - _FRAME_BYTES + 1, _FRAME_BYTES):
            self._heard_ms += FRAME_MS
            self._feed(self._onset.push(audio[at : at + _FRAME_BYTES]))
        if self._onset.given_up:
            self.drop()
            return None
        if not self._fed_ms or self._heard_ms - self._drafted_ms < _DRAFT_EVERY_MS:
            return None
        self._drafted_ms = self._heard_ms
        draft = self._decoder.draft()
        if draft is None or draft == self._draft:
            return None
        self._draft = draft
        return draft

    def finish(self) -> Result:
        self._onset.reset()
        if not self._fed_ms:
            # Nothing stood out of the noise, and some models make words of silence.
            return nothing()
        result = self._decoder.end(self._heard_ms - self._fed_ms)
        self._fed_ms, self._draft = 0, ""
        return result

    def drop(self) -> None:
        self._onset.reset()
        self._decoder.reset()
        self._fed_ms, self._draft = 0, ""

    def _feed(self, frames: list[bytes]) -> None:
        for frame in frames:
            self._decoder.feed(frame)
            self._fed_ms += FRAME_MS


def nothing() -> Result:
    return {"text": "", "confidence": None, "words": []}


class VoskDecoder:
    """It ends utterances by itself, too: what it holds for ended is kept until we say so.

    It counts time over all the sound that it was ever fed, not from the beginning of an utterance.
    """

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._recogniser.SetWords(True)
        self._ended: list[Result] = []
        self._fed_ms = self._before_ms = 0.0

    def feed(self, pcm: bytes) -> None:
        self._fed_ms += len(pcm) / _BYTES_A_MS
        if self._recogniser.AcceptWaveform(pcm):
            self._ended.append(json.loads(self._recogniser.Result()))

    def draft(self) -> str:
        partial = json.loads(self._recogniser.PartialResult()).get("partial", "")
        return " ".join(filter(None, [*(str(each.get("text", "")) for each in self._ended), partial]))

    def end(self, began_ms: int) -> Result:
        parts = [*self._ended, json.loads(self._recogniser.FinalResult())]
        # What its clock showed when this utterance began.
        zero_ms = began_ms - self._before_ms
        self.reset()
        words = [
            [word["word"], word["conf"], round(zero_ms + word["start"] * 1_000), round(zero_ms + word["end"] * 1_000)]
            for part in parts
            for word in part.get("result", [])
        ]
        text = " ".join(filter(None, (str(part.get("text", "")) for part in parts)))
        confidence = sum(word[1] for word in words) / len(words) if words else None
        return {"text": text, "confidence": confidence, "words": words}

    def reset(self) -> None:
        self._ended = []
        self._before_ms = self._fed_ms
        self._recogniser.Reset()


class SherpaDecoder:
    """A stream for each utterance of a recogniser that all people share."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._stream = recogniser.create_stream()

    def feed(self, pcm: bytes) -> None:
        self._stream.accept_waveform(HEARING_RATE, _floats(pcm))
        self._decode()

    def draft(self) -> str:
        return self._text()

    def end(self, began_ms: int) -> Result:  # noqa: ARG002 - it tells no times
        self._stream.accept_waveform(HEARING_RATE, np.zeros(round(_TAIL_S * HEARING_RATE), np.float32))
        self._stream.input_finished()
        self._decode()
        text = self._text()
        self.reset()
        return {"text": text, "confidence": None, "words": []}

    def reset(self) -> None:
        self._stream = self._recogniser.create_stream()

    def _decode(self) -> None:
        while self._recogniser.is_ready(self._stream):
            self._recogniser.decode_stream(self._stream)

    def _text(self) -> str:
        result = self._recogniser.get_result(self._stream)
        text = result if isinstance(result, str) else result.text
        return str(text).strip().lower()


class WhisperDecoder:
    """Hears an utterance when it is over. Of a very long one the beginning is lost."""

    def __init__(self, model: Any, language: str) -> None:
        self._model = model
        # Of a language that it does not know by this name, it finds out by itself.
        self._language = language if language in model.supported_languages else None
        self._sound = bytearray()

    def feed(self, pcm: bytes) -> None:
        self._sound += pcm
        if len(self._sound) > _MOST_MS * _BYTES_A_MS:
            del self._sound[: len(self._sound) // 2]

    def draft(self) -> None:
        return None

    def end(self, began_ms: int) -> Result:
        sound = _floats(bytes(self._sound))
        self.reset()
        segments, _ = self._model.transcribe(
            sound, language=self._language, beam_size=1, condition_on_previous_text=False, word_timestamps=True
        )
        kept = [segment for segment in segments if segment.no_speech_prob < _NO_SPEECH]
        words = [
            [
                word.word.strip(),
                float(word.probability),
                began_ms + round(float(word.start) * 1_000),
                began_ms + round(float(word.end) * 1_000),
            ]
            for segment in kept
            for word in segment.words or []
        ]
        sure = [math.exp(min(0.0, float(segment.avg_logprob))) for segment in kept]
        return {
            "text": " ".join(segment.text.strip() for segment in kept),
            "confidence": sum(sure) / len(sure) if sure else None,
            "words": words,
        }

    def reset(self) -> None:
        self._sound.clear()


def _floats(pcm: bytes) -> NDArray[np.float32]:
    return np.frombuffer(pcm, np.int16).astype(np.float32) / np.float32(32_768)

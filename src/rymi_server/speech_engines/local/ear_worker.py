"""The process in which Vosk, sherpa-onnx or faster-whisper listens. `python -m … DESCRIPTOR ENGINE MODEL`."""

import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rymi_server.speech_engines.local.recognisers import (
    Decoder,
    SherpaDecoder,
    Utterances,
    VoskDecoder,
    WhisperDecoder,
)
from rymi_server.speech_engines.models import sherpa_files
from rymi_server.speech_engines.promises import HEARING_RATE
from rymi_server.speech_engines.workers.serving import Line, serve
from rymi_server.speech_engines.workers.wire import Kind, Message, said

# A recogniser for one person who speaks this language.
NewDecoder = Callable[[str], Decoder]


def load_vosk(path: Path) -> NewDecoder:
    vosk = importlib.import_module("vosk")
    vosk.SetLogLevel(-1)
    model = vosk.Model(model_path=str(path))
    return lambda _: VoskDecoder(vosk.KaldiRecognizer(model, HEARING_RATE))


def load_sherpa(path: Path) -> NewDecoder:
    sherpa = importlib.import_module("sherpa_onnx")
    files = {part: str(file) for part, file in (sherpa_files(path) or {}).items()}
    shared = sherpa.OnlineRecognizer.from_transducer(**files, num_threads=1, sample_rate=HEARING_RATE)
    return lambda _: SherpaDecoder(shared)


def load_whisper(path: Path) -> NewDecoder:
    # It would fetch what it misses in the folder; a call never downloads anything.
    os.environ["HF_HUB_OFFLINE"] = "1"
    whisper = importlib.import_module("faster_whisper")
    model = whisper.WhisperModel(str(path), device="auto", compute_type="int8", local_files_only=True)
    return lambda language: WhisperDecoder(model, language.partition("-")[0].lower())


LOADS: Final = {"vosk": load_vosk, "sherpa": load_sherpa, "faster-whisper": load_whisper}


class LocalListener:
    """Answers OPEN with READY, AUDIO with DRAFTs, and each FINISH with one RESULT."""

    def __init__(self, line: Line, new_decoder: NewDecoder) -> None:
        self._line = line
        self._new_decoder = new_decoder
        self._people: dict[int, Utterances] = {}
        line.send(Message(Kind.READY, 0))

    def __call__(self, message: Message) -> None:
        if message.kind is Kind.OPEN:
            self._people[message.stream] = Utterances(self._new_decoder(message.read()["language"]))
            self._line.send(Message(Kind.READY, message.stream))
            return
        person = self._people.get(message.stream)
        if person is None:
            return
        if message.kind is Kind.AUDIO:
            draft = person.hear(message.body)
            if draft is not None:
                self._line.send(said(Kind.DRAFT, message.stream, draft))
        elif message.kind is Kind.FINISH:
            self._line.send(said(Kind.RESULT, message.stream, person.finish()))
        elif message.kind is Kind.DROP:
            person.drop()
        elif message.kind is Kind.CLOSE:
            del self._people[message.stream]


if __name__ == "__main__":
    descriptor, engine, model = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    serve(descriptor, lambda line: LocalListener(line, LOADS[engine](model)))

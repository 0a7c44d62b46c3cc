"""The process in which Piper speaks. `python -m … DESCRIPTOR MODEL`."""

import importlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from rymi_server.speech_engines.models import piper_config, piper_model
from rymi_server.speech_engines.workers.serving import Line, serve
from rymi_server.speech_engines.workers.wire import Kind, Message

# The sound of a text, sentence by sentence.
Synthesise = Callable[[str], Iterable[bytes]]

# How a voice for Chinese reads: with a network of its own, which Piper fetches when it first speaks.
_FETCHES: Final = "pinyin"


class FetchesMore(Exception):
    """A voice that would download something in a call."""


def load(path: Path) -> Synthesise:
    piper = importlib.import_module("piper")
    voice = piper.PiperVoice.load(str(piper_model(path)), config_path=str(piper_config(path)))
    if voice.config.phoneme_type == _FETCHES:
        raise FetchesMore("this voice needs a further model, which Piper would fetch during a call")
    # Some languages need packages of their own: better to know now than in the middle of the first line.
    voice.phonemize("a")
    return lambda text: (chunk.audio_int16_bytes for chunk in voice.synthesize(text))


class PiperSpeaker:
    """Answers SPEAK with SOUND as it is made and DONE; STOP cuts it short, and is still answered with DONE."""

    def __init__(self, line: Line, synthesise: Synthesise) -> None:
        self._line = line
        self._synthesise = synthesise
        line.send(Message(Kind.READY, 0))

    def __call__(self, message: Message) -> None:
        if message.kind is not Kind.SPEAK:
            return
        for sound in self._synthesise(message.read()["text"]):
            self._line.send(Message(Kind.SOUND, message.stream, sound))
            if self._line.ask_ahead(lambda other: other.kind is Kind.STOP and other.stream == message.stream):
                break
        self._line.send(Message(Kind.DONE, message.stream))


if __name__ == "__main__":
    serve(int(sys.argv[1]), lambda line: PiperSpeaker(line, load(Path(sys.argv[2]))))

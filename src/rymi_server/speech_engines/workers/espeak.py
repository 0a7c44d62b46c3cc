"""The process in which espeak-ng speaks. Its library keeps its state in globals, so lines are spoken one by one."""

import ctypes
import sys
from typing import Any, Final

import espeakng_loader

from rymi_server.speech_engines.workers.serving import Line, serve
from rymi_server.speech_engines.workers.wire import Kind, Message, said

_SYNCHRONOUS: Final = 2
_BUFFER_MS: Final = 40
_UTF8: Final = 1
_END_PAUSE: Final = 0x1000
_FROM_CHARACTER: Final = 1
_RATE_PARAMETER: Final = 1
_PITCH_PARAMETER: Final = 3
_IPA: Final = 0x02

_Received = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Library:
    """espeak-ng itself. Raise OSError where it does not start."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        number, address = ctypes.c_uint, ctypes.c_void_p
        synth = self._library.espeak_Synth
        synth.argtypes = [ctypes.c_char_p, ctypes.c_size_t, number, number, number, number, address, address]
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        data = espeakng_loader.get_data_path().encode()
        self.sample_rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data, 0))
        if self.sample_rate <= 0:
            raise OSError("espeak-ng did not start: its voice data is missing or broken")

    def choose(self, voice: str) -> bool:
        return int(self._library.espeak_SetVoiceByName(voice.encode())) == 0

    def speak(self, text: str, words_a_minute: int, pitch: int, take: Any) -> None:
        """Call `take` with each piece of sound; when it returns False, the rest is not made."""

        def received(wave: Any, count: int, _events: object) -> int:
            if not wave or count <= 0:
                return 0
            return 0 if take(ctypes.string_at(wave, count * 2)) else 1

        callback = _Received(received)
        self._library.espeak_SetSynthCallback(callback)
        self._library.espeak_SetParameter(_RATE_PARAMETER, words_a_minute, 0)
        self._library.espeak_SetParameter(_PITCH_PARAMETER, pitch, 0)
        line = text.encode(errors="replace") + b"\0"
        self._library.espeak_Synth(line, len(line), 0, _FROM_CHARACTER, 0, _UTF8 | _END_PAUSE, None, None)

    def phonemes(self, word: str) -> str:
        """In the international phonetic alphabet, by the voice that was chosen last."""
        text = ctypes.c_char_p(word.encode(errors="replace"))
        found = self._library.espeak_TextToPhonemes(ctypes.byref(text), 1, _IPA)
        return str(found.decode(errors="replace")) if found else ""


class Speaker:
    """Answers SPEAK with SOUND as it is made and DONE; STOP cuts it short, and is still answered with DONE."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._library = Library()
        line.send(said(Kind.READY, 0, {"sample_rate": self._library.sample_rate}))

    def __call__(self, message: Message) -> None:
        if message.kind is not Kind.SPEAK:
            return
        wanted = message.read()
        if not self._library.choose(wanted["voice"]):
            self._line.send(Message(Kind.FAILED, message.stream, f"there is no voice {wanted['voice']!r}".encode()))
            return

        def stops(other: Message) -> bool:
            return other.kind is Kind.STOP and other.stream == message.stream

        def take(sound: bytes) -> bool:
            try:
                self._line.send(Message(Kind.SOUND, message.stream, sound))
            except OSError:
                # No error passes through the library. The next message finds out that the owner is gone.
                return False
            return not self._line.ask_ahead(stops)

        self._library.speak(wanted["text"], wanted["words_a_minute"], wanted["pitch"], take)
        self._line.send(Message(Kind.DONE, message.stream))


def main(descriptor: int) -> None:
    serve(descriptor, Speaker)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""What a plugin recognised, as our own words: texts of several pieces, confidence, and when each word was spoken."""

from collections.abc import Sequence

from livekit.agents import stt

from rymi_server.speech_engines.promises import Heard, Word


def heard_in(pieces: Sequence[stt.SpeechData], engine: str, began_ms: int = 0) -> Heard:
    text = " ".join(piece.text.strip() for piece in pieces if piece.text.strip())
    sure = [float(piece.confidence) for piece in pieces if piece.confidence]
    words = tuple(word for piece in pieces for word in _words(piece, began_ms))
    return Heard(text, round(sum(sure) / len(sure), 3) if sure else None, words, engine)


def _words(piece: stt.SpeechData, began_ms: int) -> list[Word]:
    return [
        Word(
            str(word),
            word.confidence if isinstance(word.confidence, float) else None,
            _ms(word.start_time, began_ms),
            _ms(word.end_time, began_ms),
        )
        for word in piece.words or ()
    ]


def _ms(seconds: object, began_ms: int) -> int | None:
    return began_ms + round(seconds * 1_000) if isinstance(seconds, int | float) else None

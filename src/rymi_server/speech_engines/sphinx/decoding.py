"""One person's utterances in pocketsphinx: free recognition, then the grammar of what was asked, then the gates."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rymi_server.speech_engines.onset import Onset
from rymi_server.speech_engines.promises import FRAME_MS, Expected, Word
from rymi_server.speech_engines.sphinx.confidence import believable, overall
from rymi_server.speech_engines.sphinx.grammars import grammar_for, is_believable
from rymi_server.speech_engines.sphinx.phrases import spelt

_FRAME_BYTES: Final = 640
_DECODER_FRAME_MS: Final = 10
_DRAFT_EVERY_MS: Final = 100
# A longer utterance is recognised in parts, so that neither memory nor the last wait grows with it.
_PART_MS: Final = 25_000
_ASKED: Final = "asked"
_FILLERS: Final = ("<", "[", "+")
# A line that is digitally silent where nobody speaks, as a phone's often is, leads the recogniser astray from its first
# word: of the demo's lines from a phone it got 2 of 72 right, and 18 with a quiet hiss. So many different frames of it.
_HISS_DB: Final = -63.0
_HISS: Final = (
    np.random.default_rng(1).standard_normal((97, _FRAME_BYTES // 2)) * 32_768 * 10 ** (_HISS_DB / 20)
).astype(np.int32)

Pronounce = Callable[[str], dict[str, str]]


class Person:
    """Time is counted in what was heard."""

    def __init__(self, decoder: Any, pronounce: Pronounce) -> None:
        self._decoder = decoder
        self._pronounce = pronounce
        self._freely = decoder.current_search()
        self._onset = Onset()
        self._expected: Expected | None = None
        self._grammar: str | None = None
        self._audio = bytearray()
        self._earlier: list[Word] = []
        self._heard_ms = self._began_ms = self._drafted_ms = 0
        self._running = False
        self._draft = ""
        self._hiss = cycle(_HISS)

    def expect(self, expected: Expected | None) -> None:
        self._expected = expected
        self._grammar = grammar_for(expected)
        if self._grammar is None:
            return
        for word in {word for choice in expected.choices for word in spelt(choice).split()} if expected else ():
            self._learn(word)
        self._decoder.add_jsgf_string(_ASKED, self._grammar)

    def hear(self, audio: bytes) -> str | None:
        """The words so far, where they have changed."""
        for at in range(0, len(audio) - _FRAME_BYTES + 1, _FRAME_BYTES):
            self._heard_ms += FRAME_MS
            self._decode(self._onset.push(audio[at : at + _FRAME_BYTES]))
        if self._onset.given_up:
            self.drop()
            return None
        if not self._running or self._heard_ms - self._drafted_ms < _DRAFT_EVERY_MS:
            return None
        self._drafted_ms = self._heard_ms
        return self._changed_draft()

    def finish(self) -> dict[str, Any]:
        """Everything since the last result."""
        self._decode(self._onset.finish())
        words = self._earlier + self._end_part()
        self._earlier, self._draft = [], ""
        good = believable(words)
        by_grammar = self._asked(words) if self._grammar and len(self._audio) <= _PART_MS * 32 else None
        self._audio.clear()
        text = by_grammar if by_grammar is not None else " ".join(word.text for word in good)
        shown = () if by_grammar is not None else good
        return {"text": text, "confidence": overall(good), "words": [_as_json(word) for word in shown]}

    def drop(self) -> None:
        self._onset.reset()
        self._end_part()
        self._earlier, self._draft = [], ""
        self._audio.clear()

    def _decode(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            if not self._running:
                self._decoder.start_utt()
                self._running = True
                self._began_ms = self._heard_ms - len(frames) * FRAME_MS
            heard = _with(next(self._hiss), frame)
            self._decoder.process_raw(heard, False, False)
            self._audio += heard
            if self._decoder.n_frames() * _DECODER_FRAME_MS >= _PART_MS:
                self._earlier += self._end_part()

    def _end_part(self) -> list[Word]:
        if not self._running:
            return []
        self._running = False
        self._decoder.end_utt()
        found = self._decoder.seg() if self._decoder.hyp() else None
        return [_word(segment, self._began_ms) for segment in found or () if not segment.word.startswith(_FILLERS)]

    def _changed_draft(self) -> str | None:
        found = self._decoder.hyp()
        draft = " ".join([word.text for word in self._earlier] + (found.hypstr.split() if found else []))
        if draft == self._draft:
            return None
        self._draft = draft
        return draft

    def _asked(self, freely: Sequence[Word]) -> str | None:
        """What the grammar heard in the same sound, where it is to be believed."""
        assert self._expected is not None
        texts = [word.text for word in freely]
        if not texts or not is_believable(self._expected, texts, ["anything"]):
            return None
        self._decoder.activate_search(_ASKED)
        self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._audio), False, False)
        self._decoder.end_utt()
        found = self._decoder.hyp()
        self._decoder.activate_search(self._freely)
        return found.hypstr if found and found.hypstr else None

    def _learn(self, word: str) -> None:
        if self._decoder.lookup_word(word) is None:
            for entry, how in self._pronounce(word).items():
                self._decoder.add_word(entry, how, True)


def _with(hiss: NDArray[np.int32], frame: bytes) -> bytes:
    return (np.frombuffer(frame, np.int16) + hiss).clip(-32_768, 32_767).astype(np.int16).tobytes()


def _word(segment: Any, began_ms: int) -> Word:
    return Word(
        segment.word.partition("(")[0],
        round(min(1.0, max(0.0, float(segment.prob))), 3),
        began_ms + segment.start_frame * _DECODER_FRAME_MS,
        began_ms + (segment.end_frame + 1) * _DECODER_FRAME_MS,
    )


def _as_json(word: Word) -> list[Any]:
    return [word.text, word.confidence, word.started_at_ms, word.ended_at_ms]

"""Text that comes in pieces, as sentences that may be spoken: whole, checked, and in words for an ear."""

import re

from rymi_server.runtime.thinking.guardrails import Breach, Guardrails
from rymi_server.runtime.thinking.speakable import speakable

_LONGEST = 400
_FENCE = "```"
_ABBREVIATION = re.compile(r"\b(?:mr|mrs|ms|dr|st|no|vs|etc|e\.g|i\.e|a\.m|p\.m|inc|ltd|co|[a-z])\.$", re.IGNORECASE)
_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f]+[\"')\]]*(?=\s)|\n+")


class SentenceGate:
    """Takes a reply in pieces of any size and gives it back in sentences, those that break a rule replaced.

    What was replaced is told in `breaches`; the same replacement is not said twice in a reply.
    """

    def __init__(self, guardrails: Guardrails, language: str = "en-US") -> None:
        self._guardrails = guardrails
        self._language = language
        self._waiting = ""
        self._before = ""
        self._in_code = False
        self._replaced: set[str] = set()
        self.breaches: list[Breach] = []

    def feed(self, piece: str) -> list[str]:
        self._waiting += piece
        sentences = []
        while (cut := self._cut()) is not None:
            sentences.append(self._waiting[:cut])
            self._waiting = self._waiting[cut:]
        return self._allowed(sentences)

    def finish(self) -> list[str]:
        last, self._waiting = self._waiting, ""
        return self._allowed([last])

    def _cut(self) -> int | None:
        for end in _END.finditer(self._waiting):
            if not _ABBREVIATION.search(self._waiting[: end.end()].rstrip()):
                return end.end()
        if len(self._waiting) > _LONGEST:
            space = self._waiting.rfind(" ", 0, _LONGEST)
            return space + 1 if space > 0 else _LONGEST
        return None

    def _allowed(self, sentences: list[str]) -> list[str]:
        spoken = []
        for sentence in sentences:
            fenced = self._in_code
            self._in_code ^= sentence.count(_FENCE) % 2 == 1
            words = speakable(sentence, self._language)
            if not words or fenced or _FENCE in sentence:
                continue
            # As it is spoken and as it was written: markup may hide what an ear hears, and the other way round.
            checked = self._guardrails.check(words, self._before)
            if checked.breach is None:
                checked = self._guardrails.check(sentence, self._before)
            self._before = words
            if checked.breach is not None:
                self.breaches.append(checked.breach)
                if checked.text in self._replaced:
                    continue
                self._replaced.add(checked.text)
                words = checked.text
            spoken.append(words)
        return spoken

"""The process in which pocketsphinx listens: many people's decoders, one after the other, because it holds the GIL."""

import hashlib
import sys
import tempfile
from bisect import bisect_left
from functools import cache
from pathlib import Path
from typing import Any

import pocketsphinx

from rymi_server.speech_engines.promises import Expected, Vocabulary
from rymi_server.speech_engines.sphinx import language_model
from rymi_server.speech_engines.sphinx.decoding import Person
from rymi_server.speech_engines.sphinx.frequent_words import END_OF_LINE, dictionary, frequent_words
from rymi_server.speech_engines.sphinx.phrases import lines
from rymi_server.speech_engines.sphinx.pronouncing import phones
from rymi_server.speech_engines.workers.espeak import Library
from rymi_server.speech_engines.workers.serving import Line, serve
from rymi_server.speech_engines.workers.wire import Kind, Message, said


class English:
    """The dictionary and how common each word is: what every agent's own model is made from.

    It is kept as the lines of the file, because a table of its words would weigh more than all else in this process.
    """

    def __init__(self) -> None:
        self._lines = sorted(dictionary())
        self.common = frequent_words()
        self.end_of_line = self.common.pop(END_OF_LINE)
        self._rare = min(self.common.values()) / 3
        self._espeak: Library | None = None
        # espeak-ng is not asked for any of these: a process that is forked from this one would share its state.
        self.said_commonly = {word: self._listed(word) for word in self.common}

    def chance(self, word: str) -> float:
        return self.common.get(word, self._rare)

    def pronunciations(self, word: str) -> dict[str, str]:
        """By dictionary entry; nothing where nobody could say it."""
        return self._listed(word) or self._guessed(word)

    def _listed(self, word: str) -> dict[str, str]:
        found = {}
        for entry in (word, *(f"{word}({number})" for number in range(2, 5))):
            at = bisect_left(self._lines, f"{entry} ")
            if at == len(self._lines) or not self._lines[at].startswith(f"{entry} "):
                break
            found[entry] = self._lines[at].partition(" ")[2]
        return found

    def _guessed(self, word: str) -> dict[str, str]:
        if self._espeak is None:
            self._espeak = Library()
            self._espeak.choose("en-us")
        found = phones(self._espeak.phonemes(word))
        return {word: found} if found else {}


@cache
def english() -> English:
    """Read once, also for those who are forked from here afterwards."""
    return English()


class Listener:
    """Answers OPEN with READY, AUDIO with DRAFTs, and each FINISH with one RESULT."""

    def __init__(self, line: Line, folder: Path) -> None:
        self._line = line
        self._folder = folder
        self._people: dict[int, Person] = {}
        self._english = english()
        line.send(Message(Kind.READY, 0))

    def __call__(self, message: Message) -> None:
        if message.kind is Kind.OPEN:
            self._open(message)
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
        elif message.kind is Kind.EXPECT:
            person.expect(_expected(message.read()))
        elif message.kind is Kind.CLOSE:
            del self._people[message.stream]

    def _open(self, message: Message) -> None:
        wanted = message.read()
        vocabulary = Vocabulary(wanted["language"], tuple(wanted["phrases"]), tuple(wanted["keywords"]))
        decoder = self._decoder(vocabulary)
        self._people[message.stream] = Person(decoder, self._english.pronunciations)
        self._line.send(Message(Kind.READY, message.stream))

    def _decoder(self, vocabulary: Vocabulary) -> Any:
        """The models of an agent are made once, for the first of its callers."""
        text = lines(vocabulary.phrases, vocabulary.keywords)
        key = hashlib.sha256("\n".join(text).encode()).hexdigest()[:24]
        model, dictionary = self._folder / f"{key}.arpa", self._folder / f"{key}.dict"
        if not model.exists():
            spoken = {word: self._english.pronunciations(word) for line in text for word in line.split()}
            can_be_said = [" ".join(word for word in line.split() if spoken[word]) for line in text]
            spoken |= self._english.said_commonly
            generally = {word: self._english.chance(word) for word, entries in spoken.items() if entries}
            generally["</s>"] = self._english.end_of_line
            entries = [f"{entry} {how}" for found in spoken.values() for entry, how in found.items()]
            dictionary.write_text("\n".join(entries) + "\n")
            model.write_text(language_model.arpa(can_be_said, generally))
        return pocketsphinx.Decoder(lm=str(model), dict=str(dictionary), loglevel="FATAL")


def _expected(value: dict[str, Any] | None) -> Expected | None:
    return Expected(value["kind"], tuple(value["choices"]), value["digits"]) if value else None


def main(descriptor: int) -> None:
    with tempfile.TemporaryDirectory(prefix="rymi-ear-") as folder:
        serve(descriptor, lambda line: Listener(line, Path(folder)))


if __name__ == "__main__":
    main(int(sys.argv[1]))

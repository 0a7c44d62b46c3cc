"""The commonest words of English, and how common they are: out of pocketsphinx's own model of English.

To ask that model takes a third of a second of every process that listens, so what it says lies beside this module.

    python -m rymi_server.speech_engines.sphinx.frequent_words    # writes it anew, after a new pocketsphinx
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pocketsphinx

HOW_MANY: Final = 5_000
END_OF_LINE: Final = "</s>"
FILE: Final = Path(__file__).with_name("frequent_words.txt")
_LOG_BASE: Final = math.log(1.0001)
_UNKNOWN: Final = -400_000


def frequent_words() -> dict[str, float]:
    """The chance of each, the commonest first, and that of the end of a line."""
    pairs = (line.split() for line in FILE.read_text().splitlines())
    return {word: math.exp(int(logarithm) * _LOG_BASE) for word, logarithm in pairs}


def dictionary() -> list[str]:
    """Its lines: a word, and how it is spoken."""
    return Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")).read_text().splitlines()


def word_of(line: str) -> str:
    return line.partition(" ")[0]


def from_the_model() -> str:
    """What the file should be."""
    model = pocketsphinx.NGramModel(
        pocketsphinx.Config(), pocketsphinx.LogMath(), pocketsphinx.get_model_path("en-us/en-us.lm.bin")
    )
    chances = [(model.prob([word]), word) for word in sorted(map(word_of, dictionary())) if "(" not in word]
    common = sorted((each for each in chances if each[0] > _UNKNOWN), reverse=True)[:HOW_MANY]
    return _written([*common, (model.prob([END_OF_LINE]), END_OF_LINE)])


def _written(chances: Iterable[tuple[int, str]]) -> str:
    return "".join(f"{word} {logarithm}\n" for logarithm, word in chances)


if __name__ == "__main__":
    FILE.write_text(from_the_model())

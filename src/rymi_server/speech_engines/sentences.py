"""Cuts a text into pieces that can be spoken one after the other, so that what is not wanted any more is never made."""

import re
from collections.abc import Iterator
from typing import Final

_MOST_CHARACTERS: Final = 280
_END: Final = re.compile(r"(?<=[.!?\u2026\u3002\uff01\uff1f])[\"')\]]*\s+|\n+")
_SOFT_END: Final = re.compile(r"(?<=[,;:\uff0c\u3001])\s+")
_NOT_SPOKEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def pieces(text: str) -> Iterator[str]:
    """Sentences; long ones are cut at commas, then at spaces. Control characters are left out."""
    for sentence in _END.split(_NOT_SPOKEN.sub(" ", text)):
        if not (line := sentence.strip()):
            continue
        yield from [line] if len(line) <= _MOST_CHARACTERS else _cut(line)


def _cut(line: str) -> Iterator[str]:
    piece = ""
    for part in _SOFT_END.split(line):
        for word in [part] if len(part) <= _MOST_CHARACTERS else part.split():
            for at in range(0, len(word), _MOST_CHARACTERS):
                bit = word[at : at + _MOST_CHARACTERS]
                if piece and len(piece) + len(bit) + 1 > _MOST_CHARACTERS:
                    yield piece
                    piece = ""
                piece = f"{piece} {bit}".strip()
    if piece:
        yield piece

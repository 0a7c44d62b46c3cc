"""What people who speak in one text are called in it: `[Ann] How much is it?`. A name is chosen by whoever bears it, so
nothing that it holds may pass for a label, a line or an instruction of ours.
"""

import unicodedata
from collections.abc import Collection, Sequence

_LONGEST = 40
_OF_NOBODY = "somebody"
_ENCLOSING = "[]{}<>"
_CONTAINED = str.maketrans("[]", "()")


def label_of(name: str) -> str:
    """On one line, without brackets and what nobody can see, and short."""
    shown = (" " if unicodedata.category(sign)[0] in "CZ" or sign in _ENCLOSING else sign for sign in name)
    return " ".join("".join(shown).split())[:_LONGEST].rstrip() or _OF_NOBODY


def labels_of(names: Sequence[str]) -> dict[str, str]:
    """By name, no two alike. Whose name can stay as it is keeps it, whoever else would like to go by it."""
    labels: dict[str, str] = {}
    for name in sorted(names, key=lambda name: label_of(name) != name):
        if name not in labels:
            labels[name] = _free(label_of(name), labels.values())
    return labels


def labelled(name: str, text: str, names: Sequence[str]) -> str:
    """`names` are everybody's. What looks like a label in the text is none."""
    return f"[{labels_of([*names, name])[name]}] {text.translate(_CONTAINED)}"


def _free(label: str, taken: Collection[str]) -> str:
    number, free = 1, label
    while free in taken:
        number += 1
        free = f"{label} {number}"
    return free

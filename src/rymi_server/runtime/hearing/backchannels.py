"""Words by which somebody shows that they listen, and does not ask to speak."""

import re

from rymi_server.speech_engines.promises import Expected

_SIGNS = frozenset(
    {
        *("mhm", "mmhm", "mm-hm", "mm-hmm", "mhmm", "hm", "hmm", "mm", "uh-huh", "uh huh", "ah", "oh", "uh", "um"),
        *("yeah", "yep", "yes", "yup", "ok", "okay", "right", "sure", "i see", "got it", "all right", "alright"),
        *("of course", "go on", "exactly", "true", "good", "fine", "great", "cool", "nice", "wow", "really"),
        *("ja", "genau", "oui", "sí", "si", "claro", "vale", "haan", "accha", "theek hai"),
    }
)
_ANSWERS = frozenset({"yes_no", "choice"})
_LONGEST_WORDS = 4


def is_backchannel(text: str, expected: Expected | None) -> bool:
    """Whether this says no more than "I am listening". Where an answer is expected, a yes is that answer."""
    if expected and expected.kind in _ANSWERS:
        return False
    words = re.sub(r"[^\w\s'-]", " ", text.lower()).split()
    if not words or len(words) > _LONGEST_WORDS:
        return False
    return _consists_of_signs(words)


def _consists_of_signs(words: list[str]) -> bool:
    if not words:
        return True
    return any(" ".join(words[:n]) in _SIGNS and _consists_of_signs(words[n:]) for n in (1, 2))

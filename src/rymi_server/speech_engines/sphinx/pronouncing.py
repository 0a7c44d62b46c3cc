"""Pronunciations of words that no dictionary has: espeak-ng's phonemes in the 39 phones of the recogniser."""

from typing import Final

_PHONES: Final = {
    "tʃ": "CH",
    "dʒ": "JH",
    "aɪɚ": "AY ER",
    "aʊɚ": "AW ER",
    "aɪə": "AY AH",
    "aɪ": "AY",
    "aʊ": "AW",
    "eɪ": "EY",
    "oʊ": "OW",
    "ɔɪ": "OY",
    "ɑːɹ": "AA R",
    "ɔːɹ": "AO R",
    "oːɹ": "AO R",
    "ɛɹ": "EH R",
    "ɪɹ": "IH R",
    "ʊɹ": "UH R",
    "ɜː": "ER",
    "ɚ": "ER",
    "iː": "IY",
    "uː": "UW",
    "ɑː": "AA",
    "ɔː": "AO",
    "oː": "AO",
    "n̩": "AH N",
    "l̩": "AH L",
    "əl": "AH L",
    "i": "IY",
    "u": "UW",
    "ɪ": "IH",
    "ᵻ": "IH",
    "ʊ": "UH",
    "ɛ": "EH",
    "æ": "AE",
    "ʌ": "AH",
    "ə": "AH",
    "ɐ": "AH",
    "ɑ": "AA",
    "ɔ": "AO",
    "o": "OW",
    "a": "AE",
    "e": "EH",
    "θ": "TH",
    "ð": "DH",
    "ʃ": "SH",
    "ʒ": "ZH",
    "ŋ": "NG",
    "ɹ": "R",
    "r": "R",
    "ɾ": "T",
    "ʔ": "T",
    "j": "Y",
    "ɡ": "G",
    "g": "G",
    "ɬ": "L",
    "b": "B",
    "d": "D",
    "f": "F",
    "h": "HH",
    "k": "K",
    "l": "L",
    "m": "M",
    "n": "N",
    "p": "P",
    "s": "S",
    "t": "T",
    "v": "V",
    "w": "W",
    "x": "K",
    "z": "Z",
}
_LONGEST: Final = max(len(sign) for sign in _PHONES)


def phones(ipa: str) -> str:
    """What can be spoken of it, phone by phone; stress and length marks are left out."""
    found: list[str] = []
    at = 0
    while at < len(ipa):
        for length in range(_LONGEST, 0, -1):
            sign = ipa[at : at + length]
            if len(sign) == length and sign in _PHONES:
                found.append(_PHONES[sign])
                at += length
                break
        else:
            at += 1
    return " ".join(found)

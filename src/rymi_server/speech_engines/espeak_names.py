"""Which voice of espeak-ng a language or a voice name means: it knows some of its languages by other names."""

from typing import Final

DEFAULT_VOICE: Final = "en-us"
_OTHER_NAMES: Final = {
    "en": "en-us",
    "en-gb": "en",
    "en-uk": "en",
    "en-au": "en",
    "en-nz": "en",
    "en-ie": "en",
    "en-in": "en",
    "en-ca": "en-us",
    "fr-fr": "fr",
    "es-es": "es",
    "es-mx": "es-419",
    "pt-pt": "pt",
    "zh": "cmn",
    "zh-cn": "cmn",
    "zh-tw": "cmn",
    "zh-hk": "yue",
    "no": "nb",
    "nn": "nb",
    "tl": "id",
    "iw": "he",
}
# Those it speaks. What follows the first hyphen of a name is left off where it is unknown.
_LANGUAGES: Final = """
af am an ar as az ba be bg bn bpy bs ca chr cmn cs cv cy da de el en eo es et eu fa fi fo fr ga gd gn grc gu hak
haw he hi hr ht hu hy hyw ia id io is it ja jbo ka kaa kk kl kn ko kok ku ky la lb lfn lt ltg lv mi mk ml mr ms mt mto
my nb nci ne nl nog om or pa pap piqd pl pt py qdb qu quc qya ro ru sd shn si sjn sk sl smj sq sr sv sw ta te th ti tk
tn tr tt ug uk ur uz vi xex yue
"""
_WITH_REGION: Final = """
ca-ba ca-nw ca-va en-029 en-gb-scotland en-gb-x-gbclan en-gb-x-gbcwmd en-gb-x-rp en-us en-us-nyc es-419 fr-be
fr-ch pt-br ru-cl ru-lv vi-vn-x-central vi-vn-x-south
"""
LANGUAGES: Final = frozenset(_LANGUAGES.split())
REGIONS: Final = frozenset(_WITH_REGION.split())


def voice_named(name: str | None) -> str | None:
    """espeak-ng's own name for a BCP-47 tag or a voice name such as `en-us+f3`; None where it has no such voice."""
    base, plus, variant = (name or DEFAULT_VOICE).strip().lower().replace("_", "-").partition("+")
    known = _known(base)
    if known is None or (plus and not _is_variant(variant)):
        return None
    return known + plus + variant


def _known(base: str) -> str | None:
    if base in _OTHER_NAMES:
        return _OTHER_NAMES[base]
    if base in REGIONS:
        return base
    language = base.split("-", 1)[0]
    if language in _OTHER_NAMES:
        return _OTHER_NAMES[language]
    return language if language in LANGUAGES else None


def _is_variant(variant: str) -> bool:
    """`m1` to `m8`, `f1` to `f5`, `croak` and the like. It is a file name of espeak-ng's: nothing but letters."""
    return variant.isascii() and variant.isalnum() and len(variant) <= 20

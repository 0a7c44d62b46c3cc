"""Fields of forms and queries as carriers send them, and what stands in them."""

from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl, urlsplit

from rymi_server.foundation.phone_number import normalize
from rymi_server.telephony.carriers.carrier import SignedRequest

Fields = dict[str, list[str]]

_ISO_4217 = 3
_LONGEST_ID = 100


def query_of(url: str) -> Fields:
    return _grouped(urlsplit(url).query)


def form_of(request: SignedRequest) -> Fields:
    """The body of a POST; empty for a GET, whose fields stand in the address."""
    return _grouped(request.body.decode("ascii", "replace")) if request.method == "POST" else {}


def fields_of(request: SignedRequest) -> dict[str, str]:
    """What the carrier says, by either method."""
    found = {**query_of(request.url), **form_of(request)}
    return {name: values[-1] for name, values in found.items()}


def number_of(text: str | None) -> str | None:
    """A number as carriers write it, with or without its plus. None where the caller hides it."""
    bare = (text or "").strip().removeprefix("+")
    return normalize(f"+{bare}") if bare.isdigit() else None


def id_of(text: object) -> str | None:
    """A carrier's id of something, if it is one that can be kept and put into an address."""
    word = str(text or "")
    return word if 0 < len(word) <= _LONGEST_ID and word.isascii() and word.isprintable() else None


def whole(text: object) -> int | None:
    number = money(text)
    return int(number) if number is not None and 0 <= number < 10_000_000 else None


def money(text: object) -> Decimal | None:
    """An amount without its sign: carriers that count down write a minus."""
    try:
        amount = Decimal(str(text))
    except InvalidOperation:
        return None
    return abs(amount) if amount.is_finite() and abs(amount) < 1_000_000 else None


def currency(text: object) -> str | None:
    """A currency as ISO 4217 names it."""
    word = str(text or "").strip().upper()
    return word if len(word) == _ISO_4217 and word.isascii() and word.isalpha() else None


def _grouped(encoded: str) -> Fields:
    found: Fields = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found

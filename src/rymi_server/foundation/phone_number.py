"""Telephone numbers, read as people write them and kept as E.164."""

import re

import phonenumbers

# The library finds numbers in the midst of other text and drops extensions; we take a number and nothing else.
_NUMBER = re.compile(r"\+[0-9 ().\-/\u00a0]{3,39}")


def normalize(text: str) -> str | None:
    """`text` as E.164, or None where it cannot be a number.

    *Possible* is enough: the numbers of documentation and tests (`+1 555 …`) are possible but belong to nobody. A
    country code is required, because there is no country to assume.
    """
    if not _NUMBER.fullmatch(text.strip()):
        return None
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

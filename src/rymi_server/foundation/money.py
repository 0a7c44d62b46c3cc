"""Amounts of money: decimal dollars to a millionth, never a float."""

from decimal import ROUND_HALF_UP, Decimal

MILLIONTH = Decimal("0.000001")


def dollars(amount: Decimal | str | int) -> Decimal:
    """`amount` to a millionth of a dollar, half up."""
    return Decimal(amount).quantize(MILLIONTH, rounding=ROUND_HALF_UP)


def cost_of(seconds: int, rate_per_minute: Decimal) -> Decimal:
    """What `seconds` cost at a rate by the minute."""
    return dollars(rate_per_minute * seconds / 60)

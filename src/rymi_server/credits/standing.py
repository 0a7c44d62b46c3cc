"""How an account stands: what its balance is worth in time, and how worried one should be. Pure."""

from decimal import Decimal
from enum import StrEnum

_LOW_MINUTES = 60
_CRITICAL_MINUTES = 10
_DAY = Decimal("0.1")


class Tone(StrEnum):
    OK = "ok"
    LOW = "low"
    CRITICAL = "critical"
    DEPLETED = "depleted"


def seconds_left(balance: Decimal, rate_per_minute: Decimal) -> int | None:
    """How long the balance lasts at a rate; None where a minute costs nothing, so that it lasts for ever."""
    if not rate_per_minute:
        return None
    return max(0, int(balance * 60 / rate_per_minute))


def tone(balance: Decimal, rate_per_minute: Decimal) -> Tone:
    """`low` under an hour at the rate, `critical` under ten minutes, `depleted` once no call can be made."""
    if balance <= 0:
        return Tone.DEPLETED
    seconds = seconds_left(balance, rate_per_minute)
    if seconds is None or seconds >= _LOW_MINUTES * 60:
        return Tone.OK
    return Tone.LOW if seconds >= _CRITICAL_MINUTES * 60 else Tone.CRITICAL


def runway_days(balance: Decimal, daily_spend: Decimal | None) -> Decimal | None:
    """For how many days the balance lasts; None where nothing is spent or nothing is known of it."""
    return max(Decimal(0), balance / daily_spend).quantize(_DAY) if daily_spend else None

"""How long we keep trying: eight attempts over a day, and not at all for a while where nothing gets through. Pure."""

from datetime import datetime, timedelta

# The wait before each further attempt. Together a little more than a day.
_WAITS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=8),
    timedelta(hours=12),
)
MOST_ATTEMPTS = len(_WAITS) + 1
# An endpoint that has failed so often in a row is left alone, and then tried with one delivery at a time.
BREAKS_AFTER = 5
_SHORTEST_BREAK = timedelta(seconds=30)
_LONGEST_BREAK = timedelta(hours=1)
# What could not be tried for so long, because the endpoint never came back, is given up.
GIVEN_UP_AFTER = timedelta(days=3)
# One endpoint, and one tenant, may keep so many deliveries waiting for an answer at a time.
AT_ONCE = 4
AT_ONCE_OF_TENANT = 12


def next_attempt(attempts: int, now: datetime) -> datetime | None:
    """When to try again after `attempts` in vain; None if that was the last."""
    return now + _WAITS[attempts - 1] if attempts < MOST_ATTEMPTS else None


def is_broken(failures: int) -> bool:
    return failures >= BREAKS_AFTER


def break_until(failures: int, now: datetime) -> datetime | None:
    """Until when an endpoint is left alone that failed `failures` times in a row; None if it is tried on."""
    if not is_broken(failures):
        return None
    doublings = min(failures - BREAKS_AFTER, 10)
    return now + min(_LONGEST_BREAK, _SHORTEST_BREAK * (1 << doublings))


def may_hold_others_up(under_way_of_tenant: int) -> bool:
    """Whether somebody else's delivery may have found no room beside one that has just ended. Several may end at a time
    and each not see the others, so that this is said a little early."""
    return under_way_of_tenant >= AT_ONCE_OF_TENANT - AT_ONCE


def may_begin(failures: int, under_way: int, under_way_of_tenant: int) -> bool:
    """Whether a further delivery to an endpoint may begin. Of a broken one a single delivery finds out."""
    return under_way < (1 if is_broken(failures) else AT_ONCE) and under_way_of_tenant < AT_ONCE_OF_TENANT

"""How many calls a plan allows at a time."""

from rymi_server.quotas.errors import TooManyCalls
from rymi_server.quotas.models import Plan


def refuse_beyond(plan: Plan, live_calls: int) -> None:
    """`live_calls` counts the calls that are asked for, too."""
    if plan.concurrent_calls is not None and live_calls > plan.concurrent_calls:
        raise TooManyCalls(limit=plan.concurrent_calls)

"""A real LiveKit server to compare roomlet with, where the environment names one."""

import os
from dataclasses import dataclass

LIVEKIT = "ROOMLET_TEST_LIVEKIT_URL"
HOW_TO_COMPARE = f"no real LiveKit server to compare with: set {LIVEKIT}, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"

# A server that somebody else has started tells its news to whom its configuration says: to http://127.0.0.1:<this>/hook.
NEWS_PORT = "ROOMLET_TEST_LIVEKIT_NEWS_PORT"
HOW_TO_COMPARE_NEWS = f"the real LiveKit server tells its news elsewhere: set {NEWS_PORT} to the port that it tells"


@dataclass(frozen=True)
class RealLiveKit:
    url: str
    key: str
    secret: str


def real_livekit() -> RealLiveKit:
    return RealLiveKit(os.environ[LIVEKIT], os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])


def real_news_port() -> int:
    """0 where nobody has said it."""
    return int(os.environ.get(NEWS_PORT, "0"))

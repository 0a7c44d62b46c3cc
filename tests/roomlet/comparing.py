"""A real LiveKit server to compare roomlet with, where the environment names one."""

import os
from dataclasses import dataclass

LIVEKIT = "ROOMLET_TEST_LIVEKIT_URL"
HOW_TO_COMPARE = f"no real LiveKit server to compare with: set {LIVEKIT}, LIVEKIT_API_KEY and LIVEKIT_API_SECRET"


@dataclass(frozen=True)
class RealLiveKit:
    url: str
    key: str
    secret: str


def real_livekit() -> RealLiveKit:
    return RealLiveKit(os.environ[LIVEKIT], os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])

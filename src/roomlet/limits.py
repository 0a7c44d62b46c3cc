"""Every bound of the server in one place, and the token bucket that bounds how fast anybody may ask."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Defaults suit one machine with a few dozen calls. Sizes are those of a real LiveKit server where it has them."""

    rooms: int = 50
    participants: int = 150
    tracks_per_participant: int = 16
    workers: int = 32
    dispatches_per_room: int = 32
    tcp_connections: int = 300
    joins_per_second: float = 50.0
    joins_burst: int = 200
    signal_message_bytes: int = 512 * 1024
    signal_messages_per_second: float = 200.0
    signal_messages_burst: int = 1000
    signal_backlog: int = 2000
    data_message_bytes: int = 64 * 1024
    data_backlog_bytes: int = 8 * 1024 * 1024
    http_body_bytes: int = 1024 * 1024
    join_request_bytes: int = 1024 * 1024
    name_length: int = 256
    metadata_bytes: int = 64_000
    attributes_bytes: int = 64_000
    webhook_backlog: int = 1000
    rpc_payload_bytes: int = 15 * 1024


def size_of(attributes: Mapping[str, str]) -> int:
    return sum(len(key.encode()) + len(value.encode()) for key, value in attributes.items())


class TokenBucket:
    """Lets `burst` through at once and `rate` a second thereafter. Time is an argument."""

    __slots__ = ("burst", "full_at", "rate", "tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = rate, burst
        self.tokens, self.full_at = burst, now

    def take(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.full_at) * self.rate)
        self.full_at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class RatePerSource:
    """One bucket for each source address; the longest unused are forgotten, so that a flood cannot grow the table."""

    def __init__(self, rate: float, burst: float, sources: int = 4096) -> None:
        self.rate, self.burst, self.sources = rate, burst, sources
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, source: str, now: float) -> bool:
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = TokenBucket(self.rate, self.burst, now)
            if len(self._buckets) > self.sources:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(source)
        return bucket.take(now)

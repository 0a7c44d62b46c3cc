"""What the server counts, as plain numbers on the hot path and as Prometheus text when asked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


@dataclass(slots=True)
class Counters:
    packets_received: int = 0
    packets_forwarded: int = 0
    packets_lost: int = 0
    """What subscribers say never arrived, of what was forwarded to them."""
    packets_missing: int = 0
    """Sequence numbers publishers skipped and did not repair: lost on the way here."""
    send_failures: int = 0
    """Packets the socket would not take."""
    data_messages: int = 0
    data_dropped: int = 0
    joins: int = 0
    resumes: int = 0
    joins_refused: dict[str, int] = field(default_factory=dict)
    departures: dict[str, int] = field(default_factory=dict)
    webhooks_delivered: int = 0
    webhooks_failed: int = 0
    webhooks_dropped: int = 0
    jobs_assigned: int = 0
    jobs_restarted: int = 0
    loop_lag_seconds: float = 0.0
    loop_lag_worst_seconds: float = 0.0

    def refuse_join(self, reason: str) -> None:
        self.joins_refused[reason] = self.joins_refused.get(reason, 0) + 1

    def depart(self, reason: str) -> None:
        self.departures[reason] = self.departures.get(reason, 0) + 1

    def see_lag(self, seconds: float) -> None:
        self.loop_lag_seconds = seconds
        self.loop_lag_worst_seconds = max(self.loop_lag_worst_seconds, seconds)


@dataclass(frozen=True, slots=True)
class Occupancy:
    """How full the server is at this moment."""

    rooms: int
    participants: int
    workers: int


COUNTED = {
    "packets_received": "Media packets received from publishers.",
    "packets_forwarded": "Media packets sent on to subscribers.",
    "packets_lost": "Media packets forwarded that subscribers report as lost.",
    "packets_missing": "Media packets that publishers sent and that never arrived.",
    "send_failures": "Datagrams that the network would not take.",
    "data_messages": "Data messages received from participants.",
    "data_dropped": "Data messages dropped because their reader was too slow or they broke a limit.",
    "joins": "Participants let in.",
    "resumes": "Participants that resumed after losing their signalling.",
    "webhooks_delivered": "Webhooks answered with success.",
    "webhooks_failed": "Webhooks given up after retries.",
    "webhooks_dropped": "Webhooks dropped because a receiver's backlog was full.",
    "jobs_assigned": "Agent jobs given to workers.",
    "jobs_restarted": "Agent jobs given out again after their worker died.",
}
LABELLED = {
    "joins_refused": "Participants turned away, by reason.",
    "departures": "Participants gone, by LiveKit's disconnect reason.",
}


class Exposition(Collector):
    def __init__(self, counters: Counters, occupancy: Callable[[], Occupancy]) -> None:
        self._counters, self._occupancy = counters, occupancy
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        now = self._occupancy()
        yield GaugeMetricFamily("roomlet_rooms", "Open rooms.", value=now.rooms)
        yield GaugeMetricFamily("roomlet_participants", "Participants in all rooms.", value=now.participants)
        yield GaugeMetricFamily("roomlet_workers", "Registered agent workers.", value=now.workers)
        counters = self._counters
        lag = "How late the event loop ran its last tick; audio is as late."
        yield GaugeMetricFamily("roomlet_loop_lag_seconds", lag, value=counters.loop_lag_seconds)
        worst = "The latest tick since the start."
        yield GaugeMetricFamily("roomlet_loop_lag_worst_seconds", worst, value=counters.loop_lag_worst_seconds)
        for name, text in COUNTED.items():
            yield CounterMetricFamily(f"roomlet_{name}", text, value=getattr(counters, name))
        for name, text in LABELLED.items():
            family = CounterMetricFamily(f"roomlet_{name}", text, labels=["reason"])
            for reason, count in getattr(counters, name).items():
                family.add_metric([reason], count)
            yield family

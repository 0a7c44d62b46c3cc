"""The gateway's numbers for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Measures:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.bridges = Gauge("rymi_gateway_bridges", "Phones that are bridged.", registry=registry)
        self.knocks = Counter(
            "rymi_gateway_knocks_total", "Media sockets, by outcome.", ("outcome",), registry=registry
        )
        self.endings = Counter("rymi_gateway_ended_total", "Bridges that are over.", ("ending",), registry=registry)
        self.frames = Counter("rymi_gateway_frames_total", "Frames sent to carriers.", registry=registry)
        self.late = Counter("rymi_gateway_frames_late_total", "Frames sent after their time.", registry=registry)
        self.missing = Counter(
            "rymi_gateway_frames_missing_total", "Frames of silence for want of a voice's own.", registry=registry
        )
        self.withheld = Counter(
            "rymi_gateway_frames_dropped_total", "Frames that were given up, by where.", ("where",), registry=registry
        )
        self.concealed = Counter("rymi_gateway_concealed_seconds_total", "Phone audio made up.", registry=registry)
        self.clears = Counter("rymi_gateway_clears_total", "Times a carrier was told to clear.", registry=registry)
        self.marks_lost = Counter("rymi_gateway_marks_lost_total", "Marks that never came back.", registry=registry)
        self.stalls = Histogram(
            "rymi_gateway_tick_late_seconds",
            "How late the clock of a bridge ticked.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=registry,
        )

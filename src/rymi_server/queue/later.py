"""How a job says that it is too early. Here rather than beside what runs jobs, which takes BullMQ's client along."""


class Later(Exception):
    """Raised by a job that is too early: it runs again after `delay_ms`, and no attempt is counted."""

    def __init__(self, delay_ms: int) -> None:
        super().__init__(f"again in {delay_ms} ms")
        self.delay_ms = delay_ms

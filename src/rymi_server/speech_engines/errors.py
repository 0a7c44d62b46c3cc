"""What may go wrong with an engine while a call runs, and what stands in its way before one."""

from rymi_server.foundation.errors import Refused, Unavailable


class EngineFailed(Unavailable):
    """An engine did not do what it promised; another one may take over."""

    status, code = 502, "engine_failed"

    def __init__(self, engine: str, message: str, *, retryable: bool = True) -> None:
        super().__init__(f"{engine}: {message}", retryable=retryable)
        self.engine = engine


class EngineNotReady(Refused):
    """An engine that the agent wants cannot run here as things are. Each of `missing` says what mends it."""

    status, code = 409, "engine_not_ready"

    def __init__(self, missing: list[str]) -> None:
        super().__init__("A speech engine of this agent is not ready: " + " ".join(missing), missing=missing)


class UnknownEngine(Refused):
    status, code = 400, "unknown_engine"

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name!r} names no engine: {why}", engine=name)

"""One request to the application, before it is signed and sent. Carriers make these; `courier` sends them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outgoing:
    """A signed request, ready to be sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True)
class Patience:
    """How long a carrier waits for the application, and how often it tries."""

    connect_s: float
    total_s: float
    retries: int = 1
    retry_statuses: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Callback:
    """`kind` is what it tells, in the carrier's words. `prepare` signs anew each time: some signatures age."""

    call_id: str
    carrier: str
    kind: str
    url: str
    prepare: Callable[[], Outgoing] = field(repr=False)
    patience: Patience = Patience(5.0, 15.0)


@dataclass(frozen=True)
class Reply:
    url: str
    status: int
    content_type: str
    body: bytes

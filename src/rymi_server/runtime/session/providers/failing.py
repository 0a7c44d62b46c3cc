"""What a provider's plugin raises, as our own error."""

from typing import Final

import aiohttp
import structlog
from livekit.agents import APIConnectOptions, APIError

from rymi_server.speech_engines.errors import EngineFailed

# An engine that fails hands over, or is opened again by whoever listens: it is not tried for long in here.
ONCE: Final = APIConnectOptions(max_retry=1, retry_interval=0.2, timeout=5.0)
# A plugin has faults as well, and raises anything then: the next engine does what it cannot.
FAILURES: Final = (Exception,)
_USUAL: Final = (APIError, aiohttp.ClientError, OSError, TimeoutError, ValueError, RuntimeError)

log = structlog.get_logger(__name__)


def failed(engine: str, error: BaseException) -> EngineFailed:
    if not isinstance(error, _USUAL):
        log.error("plugin_at_fault", engine=engine, exc_info=error)
    said = getattr(error, "message", None) or str(error) or type(error).__name__
    return EngineFailed(engine, str(said), retryable=bool(getattr(error, "retryable", True)))

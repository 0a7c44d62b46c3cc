"""How providers' plugins fail, and how an engine says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
import structlog
from livekit.agents import APIConnectOptions, APIError

from rymi_server.speech_engines.errors import EngineFailed

# An engine that fails hands over, or is opened again by whoever listens: it is not tried for long in here.
ONCE: Final = APIConnectOptions(max_retry=1, retry_interval=0.2, timeout=5.0)
_USUAL: Final = (APIError, aiohttp.ClientError, OSError, TimeoutError, ValueError, RuntimeError)

log = structlog.get_logger(__name__)


@contextmanager
def plugin_of(engine: str) -> Iterator[None]:
    """What a plugin raises in here, its engine has failed with: `EngineFailed`.

    Plugins are not ours, and a fault of theirs may be raised as anything; the next engine does what this one cannot.
    """
    try:
        yield
    except EngineFailed:
        raise
    except Exception as error:
        if not isinstance(error, _USUAL):
            log.error("plugin_at_fault", engine=engine, exc_info=error)
        said = getattr(error, "message", None) or str(error) or type(error).__name__
        raise EngineFailed(engine, str(said), retryable=bool(getattr(error, "retryable", True))) from error

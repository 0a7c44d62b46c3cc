"""How a process learns that it should end."""

import asyncio
import signal


def stop_requested() -> asyncio.Event:
    """Set once somebody asks this process to stop, with SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(asked, stop.set)
    return stop

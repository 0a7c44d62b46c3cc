"""How a process learns that it should end."""

import asyncio
import signal


def stop_requested() -> asyncio.Event:
    """Set once somebody asks this process to stop, with SIGTERM, Ctrl-C, or by closing its terminal."""
    stop = asyncio.Event()
    asked = [signal.SIGTERM, signal.SIGINT]
    # Whoever starts it with `nohup` wants it to outlive the terminal.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asked.append(signal.SIGHUP)
    for each in asked:
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    return stop

"""`python -m roomlet`: reads the settings, runs the server, and says in one sentence why it could not."""

import asyncio
import importlib.util
import logging
import os
import sys
from collections.abc import Callable, Sequence

from roomlet import logs, settings
from roomlet.ice import PortTaken
from roomlet.server import serve

WRONG_SETTINGS, PORT_TAKEN = 2, 3


def new_event_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    """uvloop where it exists; Windows has none."""
    if importlib.util.find_spec("uvloop") is None:
        return asyncio.new_event_loop
    import uvloop  # noqa: PLC0415 - Not installed on every platform.

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def main(arguments: Sequence[str] | None = None) -> int:
    try:
        chosen = settings.read(sys.argv[1:] if arguments is None else arguments, os.environ)
    except settings.BadSettings as refusal:
        sys.stderr.write(f"roomlet: {refusal}\n")
        return WRONG_SETTINGS
    logs.configure(chosen.log_level)
    if chosen.api_secret == settings.DEVELOPMENT_SECRET:
        logging.getLogger("roomlet").warning("the published development key is in use: anybody can join")
    try:
        with asyncio.Runner(loop_factory=new_event_loop()) as runner:
            runner.run(serve(chosen))
    except PortTaken as refusal:
        sys.stderr.write(f"roomlet: {refusal}\n")
        return PORT_TAKEN
    return 0


if __name__ == "__main__":
    sys.exit(main())

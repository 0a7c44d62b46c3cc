"""A worker process that is forked: it has all that its owner has loaded, and is there after a hundredth of a second.

Only for Linux, and only for an owner in which hardly anything runs yet: of its threads, none is in the child, and what
one of them held just then stays held there for ever.
"""

import contextlib
import gc
import importlib
import logging
import math
import os
import signal
import subprocess
import time
import traceback
from collections.abc import Sequence
from typing import Final

from setproctitle import setproctitle

_LOOKS_EVERY_S: Final = 0.05


class Forked:
    """As much of a `subprocess.Popen` as an owner needs. `module` has a `main`, called with the descriptor and these
    arguments."""

    def __init__(self, name: str, module: str, descriptor: int, arguments: Sequence[str]) -> None:
        self._name = name
        self.pid = os.fork()
        if self.pid == 0:
            _be(name, module, descriptor, arguments)

    def wait(self, timeout: float | None = None) -> None:
        """Raise `subprocess.TimeoutExpired`. Blocks, and looks again and again as `Popen.wait` does: a descriptor that
        would wake us at the process's end is not to be had in every sandbox."""
        until, pause = math.inf if timeout is None else time.monotonic() + timeout, 0.001
        while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
            if time.monotonic() >= until:
                raise subprocess.TimeoutExpired(self._name, timeout or 0)
            time.sleep(pause)
            pause = min(2 * pause, _LOOKS_EVERY_S)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _be(name: str, module: str, descriptor: int, arguments: Sequence[str]) -> None:
    """Never returns: what lies above on the stack is the owner's."""
    status = 1
    try:
        setproctitle(f"rymi {name}")
        _forget_the_owner(descriptor)
        importlib.import_module(module).main(descriptor, *arguments)
        status = 0
    except BaseException:  # noqa: BLE001 - There is nobody above who could be told.
        traceback.print_exc()
    finally:
        os._exit(status)


def _forget_the_owner(descriptor: int) -> None:
    # Signals to the owner's group are the owner's.
    os.setsid()
    signal.set_wakeup_fd(-1)
    for sent in signal.valid_signals():
        if callable(signal.getsignal(sent)):
            signal.signal(sent, signal.SIG_DFL)
    logging.getLogger().handlers.clear()
    # Nothing of the owner's is thrown away here, which would close descriptors by numbers that are others' by then.
    gc.freeze()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    # Whoever waits for the owner's end waits until the last descriptor is closed.
    for number in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, descriptor}:
        # The folder that was read is among them, and closed by now.
        with contextlib.suppress(OSError):
            os.close(number)

"""Children that do not outlive us, whatever ends us."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def dies_with_parent(by: signal.Signals) -> Callable[[], None] | None:
    """For `preexec_fn`: the kernel sends `by` to the child when its parent has gone, by SIGKILL too.

    The parent, for Linux, is the thread that forks. So start such children from the main thread, which lives as long as
    the process; started from a thread of a pool, they would die with that thread. Other systems have nothing like it.
    """
    if sys.platform != "linux":
        return None
    # Loaded before the fork: a child that has just been forked must not touch the loader's locks.
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def before_exec() -> None:
        prctl(_PR_SET_PDEATHSIG, by)
        if os.getppid() != parent:  # It went before we could ask.
            os.kill(os.getpid(), by)

    return before_exec


def end_with_parent() -> None:
    """For the child itself, first of all: the kernel kills it when whoever started it has gone, by SIGKILL too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

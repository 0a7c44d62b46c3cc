"""What is born in a nursery in tests: it says who it is, and waits."""

import json
import os
import signal
import sys

LOADED_BY = os.getpid()


def main() -> int:
    said = {
        "pid": os.getpid(),
        "loaded_by": LOADED_BY,
        "session": os.getsid(0),
        "stops_on_sigterm": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL and not _blocked(signal.SIGTERM),
        "environment": {name: os.environ.get(name) for name in ("GIVEN", "TAKEN")},
    }
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
    return 7 if signal.sigwait({signal.SIGUSR1, signal.SIGTERM}) == signal.SIGUSR1 else 0


def _blocked(number: signal.Signals) -> bool:
    return number in signal.pthread_sigmask(signal.SIG_BLOCK, ())


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})

"""A process that loads code once and forks from itself whatever is to run it.

Most of a start is Python loading modules, and most modules are the same in every process of ours. So `rymi up` has them
loaded here, once; what is born here has them at once, and shares their memory. The nursery runs nothing itself: no
thread, no event loop, nothing that a fork would tear in two.

`births.py` is the other end of its channel, and says what the messages are.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from setproctitle import setproctitle

from rymi_server.foundation.orphans import dies_with_parent

_LARGEST_MESSAGE: Final = 65536
_ASKED_TO_STOP: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Life = Callable[[], int]
"""What somebody who was born here does; returns the exit code."""


@dataclass
class Nursery:
    channel: socket.socket

    _to_load: deque[str] = field(default_factory=deque, init=False)
    _alive: dict[int, int] = field(default_factory=dict, init=False)
    """The number of each birth, by process."""
    _before: dict[int, Any] = field(default_factory=dict, init=False)
    """What such signals did to this process at its start."""

    def run(self) -> Life | None:
        """Until nobody speaks to it any more; then None. In each child, at its birth: what it is to do."""
        woken, wakes = socket.socketpair()
        woken.setblocking(False)
        wakes.setblocking(False)
        signal.signal(signal.SIGCHLD, _noticed)
        signal.set_wakeup_fd(wakes.fileno())
        # A service manager may ask every process of a service at once; those who were born here would die with it.
        self._before = {each: signal.signal(each, signal.SIG_IGN) for each in _ASKED_TO_STOP}
        while True:
            # Wishes go before what is loaded ahead. With nothing to load it waits for one, however long.
            ready, _, _ = select.select((self.channel, woken), (), (), 0 if self._to_load else None)
            if woken in ready:
                woken.recv(_LARGEST_MESSAGE)
                self._bury()
            if self.channel in ready:
                message, files, _, _ = socket.recv_fds(self.channel, _LARGEST_MESSAGE, 1)
                if not message:
                    return None
                life = self._hear(json.loads(message), files)
                if life is not None:
                    for end in (woken, wakes, self.channel):
                        end.close()
                    return life
            elif self._to_load:
                _load(self._to_load.popleft())

    def _hear(self, message: dict[str, Any], files: list[int]) -> Life | None:
        match message["wish"]:
            case "load":
                self._to_load.extend(message["modules"])
            case "signal":
                self._signal(message["birth"], message["signal"])
            case "bear":
                return self._bear(message, *files)
        return None

    def _bear(self, wanted: dict[str, Any], output: int | None = None) -> Life | None:
        """In the nursery None, in the child its life."""
        _load(wanted["module"])
        # What is there stays there: a collection in a child would copy all of it.
        gc.freeze()
        with_parent = dies_with_parent(signal.SIGKILL)
        # Who is asked to stop while it becomes somebody hears of it then.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED_TO_STOP)
        pid = os.fork()
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKED_TO_STOP)
            self._alive[pid] = wanted["birth"]
            self._tell(birth=wanted["birth"], pid=pid)
            if output is not None:
                os.close(output)
            return None
        if with_parent:
            with_parent()
        _become(wanted, output)
        for each, before in self._before.items():
            signal.signal(each, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ASKED_TO_STOP)
        return lambda: _life(wanted["module"])

    def _signal(self, birth: int, number: int) -> None:
        """Nobody is hit who has taken over the number of a dead one: only we bury them."""
        for pid, known in self._alive.items():
            if known == birth:
                os.kill(pid, number)

    def _bury(self) -> None:
        while self._alive:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            self._tell(birth=self._alive.pop(pid), exit_code=os.waitstatus_to_exitcode(status))

    def _tell(self, **what: int) -> None:
        self.channel.send(json.dumps(what).encode())


def _noticed(*_: object) -> None:
    """Only so that the end of a child wakes us up."""


def _load(module: str) -> None:
    # Whoever is born to run a module that cannot be loaded tries again, and says in its own log what is wrong.
    with contextlib.suppress(Exception):
        importlib.import_module(module)


def _become(wanted: dict[str, Any], output: int | None) -> None:
    """A process like one that was started by itself."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    if output is not None:
        os.dup2(output, sys.stdout.fileno())
        os.dup2(output, sys.stderr.fileno())
        os.close(output)
    for name, value in wanted["environment"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    sys.argv = [wanted["module"]]
    setproctitle(f"rymi {wanted['name']}")
    gc.enable()


def _life(module: str) -> int:
    main: Life = importlib.import_module(module).main
    return main()


def main() -> int:
    # Nothing that is loaded here becomes garbage, and looking for it takes a tenth of the time.
    gc.disable()
    setproctitle("rymi nursery")
    life = Nursery(socket.socket(fileno=int(sys.argv[1]))).run()
    return life() if life is not None else 0


if __name__ == "__main__":
    sys.exit(main())

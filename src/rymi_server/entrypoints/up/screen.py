"""What the person who typed `rymi up` sees: a table that stays in place, or a line a change where nobody watches."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


class State(StrEnum):
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    RESTARTING = "restarting"
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Status:
    """One process at this moment. `note` is where to find it, or what is wrong with it."""

    state: State
    note: str = ""
    pid: int | None = None
    starts: int = 0


class Screen(Protocol):
    @property
    def covers_terminal(self) -> bool:
        """Whether other output would run into it."""
        ...

    def show(self, name: str, status: Status) -> None: ...

    def say(self, text: str) -> None:
        """Text that stays, and that can be copied as it stands."""
        ...

    def close(self) -> None: ...


class Lines:
    """For logs, pipes and service managers."""

    covers_terminal = False

    def __init__(self) -> None:
        self._shown: dict[str, tuple[State, str]] = {}

    def show(self, name: str, status: Status) -> None:
        if self._shown.get(name) != (status.state, status.note):
            self._shown[name] = (status.state, status.note)
            print(f"{name:<10} {status.state:<10} {status.note}".rstrip(), flush=True)

    def say(self, text: str) -> None:
        print(text, flush=True)

    def close(self) -> None:
        """Nothing is open."""


_COLOUR = {
    State.STARTING: "yellow",
    State.READY: "green",
    State.NOT_READY: "red",
    State.RESTARTING: "red",
    State.STOPPING: "yellow",
    State.STOPPED: "dim",
}


class Picture:
    """For a terminal."""

    covers_terminal = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._statuses: dict[str, Status] = {}
        # Drawn when something changes; rich's own thread would have nothing to add.
        self._live = Live(console=self._console, auto_refresh=False)
        self._live.start()

    def show(self, name: str, status: Status) -> None:
        self._statuses[name] = status
        self._live.update(self._table(), refresh=True)

    def say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        self._live.stop()

    def _table(self) -> Table:
        table = Table("", "state", "process", "starts", "", box=None, padding=(0, 2, 0, 0), header_style="dim")
        for name, status in self._statuses.items():
            state = Text(status.state, style=_COLOUR[status.state])
            table.add_row(name, state, str(status.pid or ""), str(status.starts), Text(status.note))
        return table


@dataclass(frozen=True, slots=True)
class Forsaken:
    """A screen that nobody may see any more: the terminal was closed, or who read the lines has gone."""

    screen: Screen

    @property
    def covers_terminal(self) -> bool:
        return self.screen.covers_terminal

    def show(self, name: str, status: Status) -> None:
        with _seen_or_not():
            self.screen.show(name, status)

    def say(self, text: str) -> None:
        with _seen_or_not():
            self.screen.say(text)

    def close(self) -> None:
        with _seen_or_not():
            self.screen.close()


@contextlib.contextmanager
def _seen_or_not() -> Iterator[None]:
    try:
        yield
    except OSError:
        # From now on all of it goes nowhere, and what is still to be written at the end of the process, too.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def screen_for_this_terminal() -> Screen:
    return Forsaken(Picture(Console()) if sys.stdout.isatty() else Lines())

"""What calls cost of a core, by what their processes have used."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def processor(agents: list[int], room: int, alone: list[float], together: list[float]) -> Iterator[None]:
    """Per cent of a core for each call, of its agent and with its share of the room server."""
    began, before, before_room = time.monotonic(), _seconds(agents), _seconds([room])
    yield
    elapsed, calls = time.monotonic() - began, len(agents)
    agent = (_seconds(agents) - before) / elapsed / calls * 100
    alone.append(agent)
    together.append(agent + (_seconds([room]) - before_room) / elapsed / calls * 100)


def _seconds(processes: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in processes)

"""What calls cost of a core, and legs of CPU, by what their processes have used."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

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


@contextmanager
def telling_of_theft() -> Iterator[None]:
    """A virtual machine's processors are taken away while their host is busy, and every number is worse for it."""
    used, stolen = _used_and_stolen()
    yield
    used_now, stolen_now = _used_and_stolen()
    wanted, taken = used_now - used + stolen_now - stolen, stolen_now - stolen
    print(f"Of {wanted:.0f} s for which processors were wanted, they were taken away for {taken:.0f}.", flush=True)


def _used_and_stolen() -> tuple[float, float]:
    """Seconds since the machine was started. Only Linux knows of any that were stolen."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system, getattr(times, "steal", 0.0)


def _seconds(processes: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in processes)


def seconds_by_name(names: Mapping[str, str]) -> dict[str, float]:
    """CPU of this process, "here", and of its children with all that came of them. `names` tells what stands in a
    child's command line and what to call it; one that nobody named is "other"."""
    here = psutil.Process()
    taken: dict[str, float] = defaultdict(float)
    taken["here"] = _seconds([here.pid])
    for child in here.children():
        with suppress(psutil.NoSuchProcess):
            command = " ".join(child.cmdline())
            name = next((name for part, name in names.items() if part in command), "other")
            for each in (child, *child.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    # With its own children that have ended.
                    taken[name] += sum(each.cpu_times()[:4])
    return taken

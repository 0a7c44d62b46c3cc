"""What processes have taken of the CPU: this one, and its children by name, each with all that came of it."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(names: Mapping[str, str]) -> Counter[str]:
    """Since each began. `names` tells what stands in the command line of a child and what to call it; this process is
    "here", and a child that nobody named is "other"."""
    parents, spent = _everybody()
    root = os.getpid()
    taken: Counter[str] = Counter()
    for pid, seconds in spent.items():
        line = [pid]
        while line[-1] != root and line[-1] in parents:
            line.append(parents[line[-1]])
        if line[-1] == root:
            taken["here" if pid == root else _name(line[-2], names)] += seconds
    return taken


def _everybody() -> tuple[dict[int, int], dict[int, float]]:
    parents, spent = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It is gone.
            continue
        pid = int(entry.name)
        parents[pid] = int(fields[1])
        # With the children that have ended and were waited for, except of this process: those are others' runs.
        of_whom = fields[11:13] if pid == os.getpid() else fields[11:15]
        spent[pid] = sum(map(int, of_whom)) / _TICKS
    return parents, spent


def _name(pid: int, names: Mapping[str, str]) -> str:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return "other"
    return next((name for part, name in names.items() if part in command), "other")

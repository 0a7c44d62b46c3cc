"""Which test process takes which file next.

Files that wait for real time begin first: they are long and of few tests, and whichever was last would leave the other
processes idle. The first two processes take everything. Each further one takes only what listens most of the time, and
so leaves two processors to them.
"""

from collections.abc import Iterable

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# What runs against real time, real processes and real sound.
OF_REAL_TIME = frozenset({"acceptance", "agent", "agent_rooms", "gateway", "phones", "roomlet", "sdks"})
# What holds calls within its own process, and listens most of the time: at a sixth to a third of one processor.
LISTENING = frozenset({"agent", "carriers"})
# What is short and waits for nothing: it fills what is left.
RECKONING = frozenset({"architecture", "http", "unit"})
_FIRST_OF_THE_FURTHER = 2


def folder_of(path: str) -> str:
    """Of a file, or of a test in it, from where pytest was started."""
    parts = path.partition("::")[0].split("/")
    return parts[parts.index("tests") + 1] if "tests" in parts else ""


def next_file(waiting: Iterable[str], *, further: bool) -> str | None:
    """Of what waits, which is in the order of its numbers of tests; None for a further process that is done."""
    if further:
        waiting = [each for each in waiting if folder_of(each) in LISTENING]
    # What was put first stays first among equals.
    return min(waiting, key=_place, default=None)


def is_further(process: str) -> bool:
    """By the name that pytest-xdist gives it: gw0, gw1 and so on."""
    return int(process.removeprefix("gw")) >= _FIRST_OF_THE_FURTHER


class ByNature(LoadFileScheduling):
    """Files are taken whole, as with `--dist loadfile`."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        chosen = next_file(self.workqueue, further=is_further(node.gateway.id))
        if chosen is None:
            node.shutdown()
            return
        self.workqueue.move_to_end(chosen, last=False)
        super()._assign_work_unit(node)


def _place(path: str) -> int:
    folder = folder_of(path)
    if folder in OF_REAL_TIME:
        return 1 if folder in LISTENING else 0
    return 3 if folder in RECKONING else 2

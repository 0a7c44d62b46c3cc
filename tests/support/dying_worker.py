"""A worker as any other, but that it kills itself once at each step: before it, and again right after its effects.

What it has died of is kept in the folder in DEATHS. Once there is nothing left to die of, it lives. Each life is a
process of its own, forked where the code is loaded, because loading it takes longer than a life.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.tape_worker import IMPATIENT

from rymi_server.entrypoints import worker as rymi_worker
from rymi_server.entrypoints.settings import read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.foundation.logs import configure_logs
from rymi_server.foundation.orphans import end_with_parent
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.running import JobRunner, Work

STEPS = (
    "CallEnded",
    "settle",
    "finalize",
    "lay",
    "encode",
    "analyse",
    "announce",
    "RecordingReady",
    "PostCallCompleted",
)
MOMENTS = tuple(f"{step}-{moment}" for step in STEPS for moment in ("before", "after"))


def die_once(moment: str) -> None:
    death = Path(os.environ["DEATHS"]) / moment
    try:
        death.touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def dying(kind: JobKind, work: Work) -> Work:
    async def run(job: Mapping[str, Any]) -> None:
        die_once(f"{kind.name}-before")
        await work(job)
        die_once(f"{kind.name}-after")

    return run if kind.name in STEPS else work


class DyingRunner(JobRunner):
    def __init__(self, libpq_url: str, work: Mapping[JobKind, Work], **more: Any) -> None:
        super().__init__(libpq_url, {kind: dying(kind, each) for kind, each in work.items()}, **more)


async def work() -> None:
    rymi_worker.JobRunner = DyingRunner  # type: ignore[misc]
    await rymi_worker.build_worker(read_settings(), queue_settings={**IMPATIENT, "maxStalledCount": 50}).run(
        stop_requested()
    )


def live() -> None:
    end_with_parent()
    configure_logs("info")
    asyncio.run(work())


def live_again() -> None:
    """Until a worker ends otherwise than by its own hand."""
    for _ in range(2 * len(MOMENTS)):
        life = multiprocessing.get_context("fork").Process(target=live)
        life.start()
        life.join()
        if life.exitcode != -signal.SIGKILL:
            sys.exit(f"a worker ended with {life.exitcode}")
    sys.exit("too many workers have died")


if __name__ == "__main__":
    live_again()

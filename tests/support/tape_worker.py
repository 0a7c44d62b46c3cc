"""A worker as any other, but for its carrier. The tape's path is the value of TAPE."""

import asyncio
import os
import sys
from pathlib import Path

from tests.support.tape import TapeCarriers

from rymi_server.entrypoints.settings import read_settings
from rymi_server.entrypoints.stopping import stop_requested
from rymi_server.entrypoints.worker import build_worker
from rymi_server.foundation.logs import configure_logs

# A killed worker's jobs are found after two seconds instead of half a minute.
IMPATIENT = {"lockDuration": 2_000, "stalledInterval": 1_000}


async def work() -> None:
    carriers = TapeCarriers(Path(os.environ["TAPE"]))
    worker = build_worker(read_settings(), carriers=carriers, queue_settings=IMPATIENT)
    await worker.run(stop_requested())


def main() -> int:
    configure_logs("info")
    asyncio.run(work())
    return 0


if __name__ == "__main__":
    sys.exit(main())

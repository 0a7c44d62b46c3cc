"""How long `rymi up` takes until everything is ready: on an empty data folder, and when it has been there before.

Beside it stands how long one process takes to load the API's code at the same time of day, because most of a start is
Python loading modules, and on a busy machine both take longer.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time

from tests.support.up import Up

from benchmarks.measuring import table

_AGAIN = 5
BUDGET_SECONDS = 5.0


def main() -> dict[str, object]:
    # Who starts a second time has the modules compiled; some development machines forbid that.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    up = Up(rooms=True, agents=True, phones=True)
    try:
        first = _started(up)
        again = [_started(up) for _ in range(_AGAIN)]
    finally:
        shutil.rmtree(up.folder)
    loading = statistics.median(_loading() for _ in range(3))
    second = statistics.median(again)
    result: dict[str, object] = {
        "first_start_seconds": round(first, 2),
        "second_start_seconds": round(second, 2),
        "second_start_worst_seconds": round(max(again), 2),
        "loading_the_api_seconds": round(loading, 2),
        "second_start_to_loading": round(second / loading, 2),
        "budget_seconds": BUDGET_SECONDS,
        "within_budget": second < BUDGET_SECONDS,
    }
    table(["", "value"], [[name.replace("_", " "), str(value)] for name, value in result.items()])
    return result


def _started(up: Up) -> float:
    """From the command until it says that all is ready; then it is stopped."""
    began = time.perf_counter()
    up.start()
    up.wait_until_ready()
    took = time.perf_counter() - began
    up.stop()
    return took


def _loading() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import rymi_server.entrypoints.api"], check=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

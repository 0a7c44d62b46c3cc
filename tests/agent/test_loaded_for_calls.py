"""What the processes of all calls have in common is loaded by the one that they are forked from."""

import subprocess
import sys

from rymi_server.entrypoints.agent import LOADED_FOR_CALLS

_LOADS = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
print(open("/proc/self/status").read().split("Threads:")[1].split()[0])
"""


def test_it_has_no_thread_that_a_fork_would_lose() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _LOADS, *LOADED_FOR_CALLS], capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "1\n"

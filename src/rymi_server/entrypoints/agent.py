"""`rymi agent`, before anything is loaded for it.

Calls are held in processes that livekit-agents forks from one of their own, which loads what they have in common. That
takes as long as this process takes to load the worker, so both are done at the same time.
"""

import importlib
import sys
from multiprocessing import forkserver
from typing import Final

from rymi_server.entrypoints.outcome import outcome

# As livekit-agents has it: ours, its own, and what closes the list. What is not installed is left out.
LOADED_FOR_CALLS: Final = [
    "rymi_server.runtime.session.worker",
    "rymi_server.runtime.session.loaded_for_calls",
    "rymi_server.speech_engines.workers.espeak",
    "livekit.agents.ipc._preload",
    "livekit.agents.ipc._preload_freeze",
]


def main() -> int:
    return outcome(run)


def run() -> None:
    if sys.platform == "linux":
        forkserver.set_forkserver_preload(LOADED_FOR_CALLS)
        forkserver.ensure_running()
    importlib.import_module("rymi_server.entrypoints.agent_process").run()


if __name__ == "__main__":
    sys.exit(main())

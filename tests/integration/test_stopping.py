"""What asks a process of ours to stop: real signals, to a process that waits for them."""

import signal
import subprocess
import sys

import pytest

_WAITS = """
import asyncio
import signal
from rymi_server.entrypoints.stopping import stop_requested

async def main():
    stop = stop_requested()
    print("waits, deaf to SIGHUP:", signal.getsignal(signal.SIGHUP) is signal.SIG_IGN, flush=True)
    await stop.wait()
    print("stops", flush=True)

asyncio.run(main())
"""


def told(asked: signal.Signals, *started_by: str) -> tuple[int, list[str]]:
    """Its exit code and what it said, once it was sent that."""
    program = [*started_by, sys.executable, "-c", _WAITS]
    with subprocess.Popen(program, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = process.stdout.readline()
        process.send_signal(asked)
        said += process.stdout.read()
    return process.returncode, said.splitlines()


class TestStopRequested:
    @pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_is_heard_from_a_service_manager_from_the_keyboard_and_from_a_terminal_that_is_closed(
        self, asked: signal.Signals
    ) -> None:
        assert told(asked) == (0, ["waits, deaf to SIGHUP: False", "stops"])

    def test_is_not_heard_from_a_terminal_that_was_to_be_outlived(self) -> None:
        assert told(signal.SIGTERM, "nohup") == (0, ["waits, deaf to SIGHUP: True", "stops"])

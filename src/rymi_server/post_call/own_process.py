"""Runs a module of ours as a process of its own, so that nothing else waits while it counts samples."""

import asyncio
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    done: bool
    said: bytes
    # The last line of what it complained about.
    complaint: str


async def run_module(module: str, *arguments: str) -> Outcome:
    """It ends with us. `module` asks the kernel to see to that, should we be killed."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        said, complaint = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    return Outcome(running.returncode == 0, said, complaint.decode(errors="replace").strip().rpartition("\n")[2])

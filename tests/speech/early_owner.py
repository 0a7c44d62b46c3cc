"""Has its voice come up early, as a process that will hold a call does, and prints what came of it.

Run as `python -m tests.speech.early_owner`. With `stay` it prints the worker's number and waits to be killed.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping

from rymi_server.speech_engines.errors import EngineFailed
from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker


async def sound_of(voice: EspeakVoice, text: str) -> int:
    return sum([len(piece) async for piece in voice.speak(text)])


def is_let_go(others: socket.socket) -> bool:
    """Whether nobody holds the other end any more."""
    others.settimeout(10)
    return others.recv(1) == b""


def tell(found: Mapping[str, object]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


async def main() -> None:
    others, own = socket.socketpair()
    worker = espeak_worker()
    worker.start_early()
    own.close()
    voice = EspeakVoice(worker)
    found: dict[str, object] = {"sound": await sound_of(voice, "Hello.")}
    found["pid"] = pid = worker.pid
    if sys.argv[1:] == ["stay"]:
        tell(found)
        signal.pause()
    found["let_go"] = is_let_go(others)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    try:
        while True:
            await sound_of(voice, "Are you there?")
    except EngineFailed as error:
        found["failed"] = str(error)
    found["sound_again"] = await sound_of(voice, "Hello again.")
    found["is_another"] = worker.pid != pid
    await worker.aclose()
    tell(found)


if __name__ == "__main__":
    asyncio.run(main())

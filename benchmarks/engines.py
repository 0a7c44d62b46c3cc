"""The engines that every agent has: how soon espeak-ng speaks, how soon pocketsphinx has the words, what they cost."""

import asyncio
import os
import time
from typing import Any

import numpy as np

from benchmarks.measuring import Times, table
from benchmarks.turn_lines import PLAIN, RATE, Voices, heard, silence
from rymi_server.speech_engines.espeak import EspeakVoice, espeak_worker
from rymi_server.speech_engines.promises import Listeners, Vocabulary
from rymi_server.speech_engines.sphinx.ear import SphinxEar, sphinx_worker
from rymi_server.speech_engines.workers.process import WorkerProcess

LINES = (
    "Thanks for calling Northside Dental. How can I help you today?",
    "Your appointment is on Tuesday at three.",
    "One moment please, I am checking the calendar for you.",
)
ROUNDS = 30
CALLERS = ("slt", "rms", "awb")
PHRASES = (
    "when are you open",
    "i want to cancel",
    "can i talk to a human",
    "is there a parking lot",
    "it is too expensive",
)
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> dict[str, Any]:
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    speaking, hearing = await _espeak(), await _pocketsphinx()
    rows = [["espeak-ng", name, *values] for name, values in speaking.items()]
    rows += [["pocketsphinx", name, *values] for name, values in hearing.items()]
    table(("engine", "what", "p50", "p95"), rows)
    return {"espeak": speaking, "pocketsphinx": hearing}


async def _espeak() -> dict[str, list[float]]:
    worker = espeak_worker()
    started = time.perf_counter()
    await worker.start()
    start = (time.perf_counter() - started) * 1_000
    voice = EspeakVoice(worker, "en-us")
    first, whole = [], []
    for _ in range(ROUNDS):
        for line in LINES:
            began, sounds = time.perf_counter(), 0
            async for _piece in voice.speak(line):
                if not sounds:
                    first.append(time.perf_counter() - began)
                sounds += 1
            whole.append(time.perf_counter() - began)
    await worker.aclose()
    return {
        "process starts, ms": [start, start],
        "first sound, ms": _spread(first),
        "whole line, ms": _spread(whole),
    }


async def _pocketsphinx() -> dict[str, list[float]]:
    worker, voices = sphinx_worker(), Voices()
    started = time.perf_counter()
    await worker.start()
    start = (time.perf_counter() - started) * 1_000
    began = time.perf_counter()
    stream = await SphinxEar([worker]).listen(Vocabulary(phrases=PHRASES), Listeners())
    opened = (time.perf_counter() - began) * 1_000
    waits, sound_s, right, words = [], 0.0, 0, 0
    cpu = _cpu_seconds(worker)
    for caller in CALLERS:
        for text in PLAIN:
            said = np.concatenate([silence(0.4), voices.say(text, caller), silence(0.65)])
            pcm = heard(voices, said, "clean", 1)
            for at in range(0, len(pcm) - 639, 640):
                stream.push(pcm[at : at + 640])
            # What a caller's own pace would have given it time for.
            await asyncio.sleep(len(pcm) / 2 / RATE * 0.3)
            asked = time.perf_counter()
            result = await stream.finish_utterance()
            waits.append(time.perf_counter() - asked)
            sound_s += len(pcm) / 2 / RATE
            wanted, got = text.split(), result.text.split()
            words += len(wanted)
            right += len(wanted) - _distance(wanted, got)
    cost = (_cpu_seconds(worker) - cpu) / sound_s
    await stream.aclose()
    await worker.aclose()
    return {
        "process starts, ms": [start, start],
        "opens for a caller, ms": [opened, opened],
        "words after the end, ms": _spread(waits),
        "CPU s per s of sound": [cost, cost],
        "words right, %": [right / words * 100] * 2,
    }


def _spread(seconds: list[float]) -> list[float]:
    times = Times(seconds, sum(seconds))
    return [times.percentile(50), times.percentile(95)]


def _cpu_seconds(worker: WorkerProcess) -> float:
    with open(f"/proc/{worker.pid}/stat") as status:
        fields = status.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _distance(wanted: list[str], got: list[str]) -> int:
    """Words to put in, take out or change."""
    row = list(range(len(got) + 1))
    for at, word in enumerate(wanted, 1):
        before, row[0] = row[0], at
        for column, other in enumerate(got, 1):
            before, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, before + (word != other))
    return row[-1]

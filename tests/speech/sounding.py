"""Sounds for engines to hear: voices from files, silence that is none, coughs."""

import asyncio
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rymi_server.foundation.sound.g711 import MU_LAW
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.speech_engines.promises import EarStream

SOUNDS = Path(__file__).parent / "sounds"
RATE, PHONE_RATE = 16_000, 8_000
FRAME_BYTES = 640


def hiss(seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """A quiet room."""
    return np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * 10


def said(name: str, *, before: float = 0.8, after: float = 0.7, db: float = -22) -> bytes:
    """One of the files at an ordinary level, with a quiet room around it."""
    with wave.open(str(SOUNDS / f"{name}.wav")) as file:
        voice = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
    voice *= 32_768 * 10 ** (db / 20) / np.sqrt(np.mean(voice**2))
    line = np.concatenate([np.zeros(round(before * RATE)), voice, np.zeros(round(after * RATE))])
    return pcm(line + hiss(len(line) / RATE)[: len(line)])


def phoned(name: str) -> bytes:
    """One of the files over a phone line on which nothing is sent while nobody speaks."""
    quiet = bytes(2 * RATE)
    with wave.open(str(SOUNDS / f"{name}.wav")) as file:
        wide = PolyResampler(RATE, PHONE_RATE).push_bytes(quiet + file.readframes(file.getnframes()) + quiet)
    return PolyResampler(PHONE_RATE, RATE).push_bytes(MU_LAW.decode(MU_LAW.encode(wide)))


def cough(seed: int) -> bytes:
    """A burst of noise that dies away."""
    dice = np.random.default_rng(seed)
    length = int(dice.uniform(0.1, 0.6) * RATE)
    burst = dice.standard_normal(length) * np.exp(-np.arange(length) / (0.06 * RATE)) * dice.uniform(2_000, 9_000)
    line = np.concatenate([np.zeros(RATE), burst, np.zeros(11_200)])
    return pcm(line + hiss(len(line) / RATE, seed)[: len(line)])


def silence(seconds: float) -> bytes:
    return pcm(hiss(seconds))


def pcm(line: NDArray[np.float64]) -> bytes:
    return line.clip(-32_768, 32_767).astype(np.int16).tobytes()


async def push_live(stream: EarStream, sound: bytes) -> None:
    """As fast as it would be spoken, for engines that are somewhere else and answer when they answer."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES):
        stream.push(sound[at : at + FRAME_BYTES])
        await asyncio.sleep(max(0.0, began + at / 32_000 - loop.time()))


def push(stream: EarStream, sound: bytes) -> None:
    for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES):
        stream.push(sound[at : at + FRAME_BYTES])

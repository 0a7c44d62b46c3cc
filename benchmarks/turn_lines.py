"""Labelled callers for the turn-detector table: turns with pauses in them, short answers, coughs, eleven kinds of line.

Voices are synthesised (espeak-ng, and flite from its Debian package), so detectors are measured, not recognisers.
"""

import hashlib
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rymi_server.foundation.sound.g711 import MU_LAW
from rymi_server.foundation.sound.resampling import PolyResampler
from rymi_server.speech_engines.workers.espeak import Library

RATE = 16_000
SPEECH = 10 ** (-22 / 20)
CONDITIONS = (
    *("clean", "pink 20", "pink 10", "pink 5", "babble 15", "babble 10", "fan"),
    *("phone", "phone pink 20", "phone pink 10", "phone babble 15"),
)
LONG = (
    "i would like to book an appointment|for next tuesday",
    "my number is five five five|one two three|four five six seven",
    "um|let me see|maybe on thursday",
    "i have a question|about the price of the cleaning",
    "well|i already have a dentist|but i am not very happy with them",
    "can you tell me|if you take my insurance",
    "my name is|sarah miller",
    "i think|that would be fine",
    "the thing is|i am quite busy this week|so maybe the week after",
    "yes|but not before ten in the morning",
    "monday works for me|or tuesday afternoon",
    "my email is|john at example dot com",
    "because|my tooth hurts when i drink something cold",
    "no|i do not want that",
    "i am calling because|i got a letter from you",
    "let me check my calendar|one second|yes friday is good",
    "how much is it|and how long does it take",
    "i live on|twenty four oak street",
    "okay|so what happens next",
    "it was on the fifth|of june i think",
)
PLAIN = (
    "what are your opening hours",
    "i would like to cancel my appointment",
    "can i speak to a real person",
    "is there parking near the clinic",
    "that is too expensive for me",
    "tomorrow morning would be great",
    "who is calling please",
    "do you treat children",
    "where is your office",
    "please send me an email with the details",
)
SHORT = ("yes", "no", "okay", "sure", "yeah", "right", "hello", "no thanks", "yes please", "stop")
ESPEAK = {"e_us": ("en-us", 160, 45), "e_usf3": ("en-us+f3", 165, 55), "e_gbm3": ("en+m3", 165, 45)}
VOICES = (*ESPEAK, "slt", "rms", "awb")
# In this order the dice choose among them, so that the callers are those of the tables that this is compared with.
CALLERS = ("e_us", "e_usf3", "slt", "rms", "awb", "e_gbm3")
BABBLE = (
    "the train leaves from platform nine and then we go to the market to buy some bread and cheese",
    "he said that the weather would be much better on the weekend but i do not believe him at all",
    "put the boxes over there and then come back to help me with the big table please",
    "she never told me what happened after the party and i did not want to ask her again",
    "we have two more of those in the back if you want to have a look at the other colour",
    "so i called them and they said it would take another three or four weeks to arrive",
)

Sound = NDArray[np.float32]
Dice = np.random.Generator


@dataclass(frozen=True)
class Pause:
    at: float
    seconds: float
    # What had been said by then.
    words: str


@dataclass(frozen=True)
class Turn:
    begins: float
    ends: float
    pauses: tuple[Pause, ...]
    words: str
    short: bool


@dataclass(frozen=True)
class Noise:
    at: float
    seconds: float


@dataclass(frozen=True)
class Line:
    sound: Sound
    turns: tuple[Turn, ...]
    noises: tuple[Noise, ...]


class Voices:
    """Says a text as 16 kHz sound of one loudness, with no silence around it."""

    def __init__(self) -> None:
        if shutil.which("flite") is None:
            raise SystemExit("This benchmark needs flite for its callers: apt-get install flite")
        self._espeak = Library()
        self._said: dict[str, Sound] = {}

    def say(self, text: str, voice: str) -> Sound:
        key = hashlib.sha256(f"{text}|{voice}".encode()).hexdigest()
        if key not in self._said:
            made = self._by_espeak(text, voice) if voice in ESPEAK else _by_flite(text, voice)
            trimmed = _trimmed(made)
            loud = trimmed / (np.sqrt(np.mean(trimmed**2)) + 1e-9) * SPEECH
            self._said[key] = np.clip(loud, -0.99, 0.99).astype(np.float32)
        return self._said[key]

    def _by_espeak(self, text: str, voice: str) -> Sound:
        name, pace, pitch = ESPEAK[voice]
        self._espeak.choose(name)
        pieces: list[bytes] = []

        def take(sound: bytes) -> bool:
            pieces.append(sound)
            return True

        self._espeak.speak(text, pace, pitch, take)
        return _resampled(np.frombuffer(b"".join(pieces), np.int16), self._espeak.sample_rate, RATE)


def caller(voices: Voices, seed: int) -> Line:
    """Forty turns in some five minutes; noises in the gaps, in which the agent would talk."""
    dice = np.random.default_rng(seed)
    texts = [LONG[at] for at in dice.permutation(len(LONG))] + [*PLAIN, *SHORT]
    pieces: list[Sound] = [np.zeros(2 * RATE, np.float32)]
    turns, noises, now = [], [], 2.0

    def put(sound: Sound) -> None:
        nonlocal now
        pieces.append(sound.astype(np.float32))
        now += len(sound) / RATE

    for at in dice.permutation(len(texts)):
        loudness = 10 ** (dice.uniform(-7, 5) / 20)
        voice = CALLERS[dice.integers(len(CALLERS))]
        parts, begins, pauses = texts[at].split("|"), now, []
        for number, part in enumerate(parts):
            if number:
                pauses.append(Pause(now, float(dice.uniform(0.3, 1.5)), " ".join(parts[:number])))
                put(silence(pauses[-1].seconds))
            put(voices.say(part, voice) * loudness)
        turns.append(Turn(begins, now, tuple(pauses), " ".join(parts), texts[at] in SHORT))
        put(silence(2.6))
        if dice.random() < 0.6:
            noise = NOISES[dice.integers(len(NOISES))](dice) * 10 ** (dice.uniform(-20, -6) / 20)
            noises.append(Noise(now, len(noise) / RATE))
            put(noise)
        put(silence(dice.uniform(1.2, 2.0)))
    return Line(np.clip(np.concatenate(pieces), -1, 1), tuple(turns), tuple(noises))


def heard(voices: Voices, sound: Sound, condition: str, seed: int) -> bytes:
    """What arrives over this kind of line."""
    dice = np.random.default_rng(seed)
    if condition.startswith("phone"):
        inner = condition.removeprefix("phone").strip() or "clean"
        return _pcm(_by_phone(_noisy(voices, sound, inner, dice)))
    return _pcm(_noisy(voices, sound, condition, dice))


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * RATE), np.float32)


def _noisy(voices: Voices, sound: Sound, condition: str, dice: Dice) -> Sound:
    kind, _, ratio = condition.partition(" ")
    if kind == "clean":
        breath: Sound = (dice.standard_normal(len(sound)) * 4e-4).astype(np.float32)
        return sound + breath
    if kind == "fan":
        level = np.full(len(sound), 10 ** (-35 / 20))
        level[len(sound) // 3 : 2 * len(sound) // 3] = 10 ** (-12 / 20)
        return np.asarray(np.clip(sound + pink(len(sound), dice) * SPEECH * level, -1, 1), np.float32)
    noise = pink(len(sound), dice) if kind == "pink" else _babble(voices, len(sound), dice)
    return np.clip(sound + noise * SPEECH * 10 ** (-int(ratio) / 20), -1, 1).astype(np.float32)


def pink(length: int, dice: Dice) -> Sound:
    spectrum = np.fft.rfft(dice.standard_normal(length))
    hertz = np.fft.rfftfreq(length)
    hertz[0] = hertz[1]
    noise = np.fft.irfft(spectrum / np.sqrt(hertz), length)
    return (noise / np.std(noise)).astype(np.float32)


def _babble(voices: Voices, length: int, dice: Dice) -> Sound:
    whole = RATE * 8
    mixed = np.zeros(whole, np.float32)
    for at, (text, voice) in enumerate(zip(BABBLE, VOICES, strict=True)):
        mixed += np.roll(np.resize(voices.say(text, voice), whole), 7_919 * at)
    mixed /= np.std(mixed)
    return np.resize(np.roll(mixed, -int(dice.integers(0, whole))), length)


def _by_phone(sound: Sound) -> Sound:
    """300 to 3,400 Hz, mu-law at 8 kHz, and up again."""
    narrow = _resampled(_samples(_banded(sound, 300, 3_400)), RATE, 8_000)
    coded = np.frombuffer(MU_LAW.decode(MU_LAW.encode(_pcm(narrow))), np.int16)
    return _resampled(coded, 8_000, RATE)


def _banded(sound: Sound, low: float, high: float) -> Sound:
    """A steep filter, over the whole sound at once."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = 1 / np.sqrt((1 + (low / np.maximum(hertz, 1)) ** 8) * (1 + (hertz / high) ** 8))
    return np.fft.irfft(spectrum * gain, len(sound)).astype(np.float32)


def _resampled(samples: NDArray[np.int16], source: int, target: int) -> Sound:
    resampler = PolyResampler(source, target)
    out = np.concatenate([resampler.push(samples), resampler.flush()])
    return np.asarray(out / 32_768, np.float32)


def _samples(sound: Sound) -> NDArray[np.int16]:
    return (np.clip(sound, -1, 0.99997) * 32_767).astype(np.int16)


def _pcm(sound: Sound) -> bytes:
    return _samples(sound).tobytes()


def _by_flite(text: str, voice: str) -> Sound:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True)
        with wave.open(str(file)) as said:
            samples = np.frombuffer(said.readframes(said.getnframes()), np.int16)
            return _resampled(samples, said.getframerate(), RATE)


def _trimmed(sound: Sound) -> Sound:
    block = RATE // 100
    blocks = sound[: len(sound) // block * block].reshape(-1, block)
    level = 10 * np.log10(np.mean(blocks**2, axis=1) + 1e-12)
    loud = np.nonzero(level > level.max() - 38)[0]
    return sound[loud[0] * block : (loud[-1] + 1) * block]


# --- noises ----------------------------------------------------------------------------------------------------------


def _cough(dice: Dice) -> Sound:
    pieces = []
    for _ in range(dice.integers(1, 4)):
        length = int(dice.uniform(0.10, 0.22) * RATE)
        t = np.arange(length) / RATE
        swell = np.minimum(t / 0.008, 1) * np.exp(-t / dice.uniform(0.04, 0.08))
        low, high = dice.uniform(250, 500), dice.uniform(1_800, 3_800)
        noise = dice.standard_normal(length).astype(np.float32)
        pieces.append(_banded(noise, low, high) * swell)
        pieces.append(silence(dice.uniform(0.06, 0.18)))
    sound = np.concatenate(pieces)
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _click(dice: Dice) -> Sound:
    sound = silence(0.35)
    for _ in range(dice.integers(1, 5)):
        at = int(dice.integers(0, len(sound) - 200))
        sound[at : at + 160] += (dice.standard_normal(160) * np.exp(-np.arange(160) / 25)).astype(np.float32)
    return np.asarray(sound / np.abs(sound).max(), np.float32)


def _bump(dice: Dice) -> Sound:
    t = np.arange(int(0.4 * RATE)) / RATE
    sway = np.sin(2 * np.pi * dice.uniform(60, 140) * t) + 0.3 * dice.standard_normal(len(t))
    return (sway * np.exp(-t / 0.07) / 1.3).astype(np.float32)


def _burst(dice: Dice) -> Sound:
    length = int(dice.uniform(0.3, 0.9) * RATE)
    noise = pink(length, dice)
    edge = np.minimum(np.arange(length), np.arange(length)[::-1]) / 800
    return np.asarray(noise * np.minimum(1, edge) / np.abs(noise).max(), np.float32)


NOISES: tuple[Callable[[Dice], Sound], ...] = (_cough, _click, _bump, _burst)

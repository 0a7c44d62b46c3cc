"""A fan is taken out, and the voice before it is not."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rymi_server.runtime.hearing.tap import FRAME_BYTES
from rymi_server.runtime.session.denoising import Denoiser
from rymi_server.speech_engines.promises import HEARING_RATE

VOICE = Path(__file__).parents[2] / "speech" / "sounds" / "appointment.wav"
LEARNS = 2 * HEARING_RATE
FAN = 300

Samples = NDArray[np.int16]


def level(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def denoised(samples: Samples) -> Samples:
    whole, clean = samples.tobytes(), Denoiser()
    return np.frombuffer(
        b"".join(clean(whole[at : at + FRAME_BYTES]) for at in range(0, len(whole), FRAME_BYTES)), np.int16
    )


def test_a_fan_is_taken_out_and_the_voice_before_it_is_not() -> None:
    with wave.open(str(VOICE)) as file:
        voice = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    fan = (np.random.default_rng(1).standard_normal(LEARNS + len(voice)) * FAN).astype(np.int16)
    line = fan.copy()
    line[LEARNS:] += voice
    line = line[: len(line) // (FRAME_BYTES // 2) * (FRAME_BYTES // 2)]
    heard = denoised(line)
    assert len(heard) == len(line)
    alone = slice(LEARNS // 2, LEARNS)
    loudest = LEARNS + int(np.argmax(np.convolve(np.abs(voice.astype(np.float64)), np.ones(8_000), "valid")))
    assert level(heard[alone]) < level(line[alone]) - 10
    assert abs(level(heard[loudest : loudest + 8_000]) - level(voice[loudest - LEARNS : loudest - LEARNS + 8_000])) < 2

"""What the life of a call needs of the outside."""

from dataclasses import dataclass

import aiohttp

from carrierbox.clock import Clock
from carrierbox.delivery.courier import Courier
from carrierbox.delivery.faults import FaultBook
from carrierbox.speech.voices import Voices


@dataclass(frozen=True)
class Tools:
    clock: Clock
    courier: Courier
    http: aiohttp.ClientSession
    voices: Voices
    faults: FaultBook
    recording_seconds: int

"""The voice that needs nothing: espeak-ng in a process of its own. Of demonstration quality."""

from dataclasses import asdict, dataclass
from typing import Final

from rymi_server.speech_engines.espeak_names import DEFAULT_VOICE
from rymi_server.speech_engines.promises import Abilities
from rymi_server.speech_engines.workers.process import WorkerProcess
from rymi_server.speech_engines.workers.voice import WorkerVoice

SAMPLE_RATE: Final = 22_050


@dataclass(frozen=True, slots=True)
class Manner:
    words_a_minute: int = 170
    pitch: int = 50


def espeak_worker() -> WorkerProcess:
    """One serves all voices of a process."""
    return WorkerProcess("espeak", "rymi_server.speech_engines.workers.espeak")


class EspeakVoice(WorkerVoice):
    def __init__(self, worker: WorkerProcess, voice: str = DEFAULT_VOICE, manner: Manner | None = None) -> None:
        abilities = Abilities(f"espeak:{voice}", quality="demo", gives_drafts=False)
        super().__init__(abilities, SAMPLE_RATE, worker, {"voice": voice, **asdict(manner or Manner())})

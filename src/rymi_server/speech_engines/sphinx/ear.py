"""pocketsphinx as an ear."""

from collections.abc import Sequence
from typing import Final

from rymi_server.speech_engines.promises import Abilities
from rymi_server.speech_engines.workers.ear import WorkerEar
from rymi_server.speech_engines.workers.process import WorkerProcess

ENGINE: Final = "pocketsphinx"


def sphinx_worker() -> WorkerProcess:
    return WorkerProcess(ENGINE, "rymi_server.speech_engines.sphinx.worker")


class SphinxEar(WorkerEar):
    def __init__(self, workers: Sequence[WorkerProcess]) -> None:
        super().__init__(Abilities(ENGINE, quality="demo"), workers)

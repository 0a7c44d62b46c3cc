"""Engines that run on this machine once their package and a model are here: each in a worker process of its own."""

import json
from collections.abc import Callable
from pathlib import Path

from rymi_server.speech_engines.errors import EngineNotReady
from rymi_server.speech_engines.models import model_files, piper_config
from rymi_server.speech_engines.naming import EngineName
from rymi_server.speech_engines.promises import Abilities
from rymi_server.speech_engines.workers.ear import WorkerEar
from rymi_server.speech_engines.workers.process import LOADS_SECONDS, WorkerProcess
from rymi_server.speech_engines.workers.voice import WorkerVoice

# The process that serves a name, made by the second argument where there is none yet.
WorkerFor = Callable[[str, Callable[[], WorkerProcess]], WorkerProcess]
_PIPER_RATE = 22_050


def local_ear(name: EngineName, models: Path, worker_for: WorkerFor) -> WorkerEar:
    """Raise `EngineNotReady` where its model is not here."""
    path = _model(name, models)
    module = "rymi_server.speech_engines.local.ear_worker"

    def new() -> WorkerProcess:
        return WorkerProcess(str(name), module, [name.engine, str(path)], LOADS_SECONDS)

    # faster-whisper recognises whole utterances.
    abilities = Abilities(str(name), gives_drafts=name.engine != "faster-whisper")
    return WorkerEar(abilities, [worker_for(str(name), new)])


def local_voice(name: EngineName, models: Path, worker_for: WorkerFor) -> WorkerVoice:
    path = _model(name, models)

    def new() -> WorkerProcess:
        return WorkerProcess(str(name), "rymi_server.speech_engines.local.piper_worker", [str(path)], LOADS_SECONDS)

    abilities = Abilities(str(name), gives_drafts=False)
    return WorkerVoice(abilities, _piper_rate(path), worker_for(str(name), new), {})


def _model(name: EngineName, models: Path) -> Path:
    found = model_files(models, name)
    if found is None:
        raise EngineNotReady([f"{name}: its model is not here; run `rymi speech pull {name}`."])
    return found.path


def _piper_rate(path: Path) -> int:
    described = json.loads(piper_config(path).read_text())
    rate = described.get("audio", {}).get("sample_rate", _PIPER_RATE)
    return int(rate)

"""Whether engines could work on this machine, asked before a call is accepted. It downloads and loads nothing."""

import importlib.util
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from rymi_server.speech_engines.errors import UnknownEngine
from rymi_server.speech_engines.models import model_files
from rymi_server.speech_engines.naming import EngineName, Place, parse

_GOOGLE: Final = "google"
_GOOGLE_FILE: Final = "GOOGLE_APPLICATION_CREDENTIALS"


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a machine has: providers' keys by the name of their setting, and the folder of its models."""

    keys: Mapping[str, str]
    models_folder: Path
    # Hosts that are no provider's own and may be told a provider's key nevertheless.
    trusted_hosts: frozenset[str] = frozenset()


@cache
def is_installed(module: str) -> bool:
    """Whether it could be imported. Its parents are, which are namespaces or small."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class EquipmentReadiness:
    """Keeps the promise of `Readiness`. Engines named in `elsewhere` are on agents' own machines: taken for ready."""

    def __init__(
        self, equipment: Equipment, elsewhere: Collection[str] = (), installed: Callable[[str], bool] = is_installed
    ) -> None:
        self._equipment = equipment
        self._elsewhere = frozenset(elsewhere)
        self._installed = installed

    def missing(self, names: Sequence[str]) -> list[str]:
        return [why for name in names for why in self._missing_of(name)]

    def _missing_of(self, text: str) -> list[str]:
        try:
            name = parse(text)
        except UnknownEngine as unknown:
            return [unknown.message]
        entry = name.entry
        # What comes with every agent is always ready; which process of it looks is not our concern here.
        if entry.place is Place.INSTALLED or text in self._elsewhere or name.engine in self._elsewhere:
            return []
        if not self._installed(entry.module):
            return [f"{name}: {entry.label} is not installed; add {entry.install}."]
        if entry.place is Place.LOCAL:
            return self._model_missing(name)
        return self._key_missing(name)

    def _model_missing(self, name: EngineName) -> list[str]:
        if model_files(self._equipment.models_folder, name) is not None:
            return []
        if Path(name.model).is_absolute():
            return [f"{name}: there is no model of {name.entry.label} in that folder."]
        return [f"{name}: its model is not here; run `rymi speech pull {name}`."]

    def _key_missing(self, name: EngineName) -> list[str]:
        if not name.is_at_home:
            return []
        wanted = _keys(name)
        if not wanted or any(self._equipment.keys.get(key) for key in wanted):
            return self._file_missing(name) if wanted == (_GOOGLE_FILE,) else []
        return [f"{name}: {name.entry.label} needs a key; set {' or '.join(wanted)}."]

    def _file_missing(self, name: EngineName) -> list[str]:
        file = Path(self._equipment.keys[_GOOGLE_FILE])
        return [] if file.is_file() else [f"{name}: {_GOOGLE_FILE} names {file}, and there is no such file."]


def _keys(name: EngineName) -> tuple[str, ...]:
    """Google's models that are called Gemini take a key, its older services take an account's file."""
    if name.engine == _GOOGLE:
        return ("GOOGLE_API_KEY",) if name.model.startswith("gemini") else (_GOOGLE_FILE,)
    return name.entry.keys

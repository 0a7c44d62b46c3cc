"""Where the models of local engines lie: a folder for each engine in the models' folder, or a path of one's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rymi_server.speech_engines.naming import EngineName

_SHERPA_PARTS: Final = ("encoder", "decoder", "joiner")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The folder or file that the engine loads."""

    path: Path


def place_of(folder: Path, name: EngineName) -> Path:
    """Where the model of this name is, or would be."""
    own = Path(name.model)
    if own.is_absolute():
        return own
    # A name is one folder's: nothing in it leads elsewhere.
    safe = name.model.replace("/", "--").replace("..", "-")
    return folder / name.engine / safe


def model_files(folder: Path, name: EngineName) -> ModelFiles | None:
    """None where it is not here, or not whole."""
    path = place_of(folder, name)
    if not _WHOLE[name.engine](path):
        return None
    return ModelFiles(path)


def sherpa_files(path: Path) -> dict[str, Path] | None:
    """Tokens, encoder, decoder and joiner of a streaming transducer; the 8-bit ones where there are such."""
    tokens = path / "tokens.txt"
    found = {"tokens": tokens} if tokens.is_file() else {}
    for part in _SHERPA_PARTS:
        files = sorted(path.glob(f"{part}*.onnx"), key=lambda file: ("int8" not in file.name, file.name))
        if files:
            found[part] = files[0]
    return found if len(found) == 1 + len(_SHERPA_PARTS) else None


def piper_config(path: Path) -> Path:
    return Path(f"{piper_model(path)}.json")


def piper_model(path: Path) -> Path:
    return path if path.suffix == ".onnx" else path / f"{path.name}.onnx"


def _is_vosk(path: Path) -> bool:
    return (path / "am").is_dir() or (path / "am" / "final.mdl").is_file() or (path / "final.mdl").is_file()


def _is_whisper(path: Path) -> bool:
    # Without the last it would fetch one that may not fit.
    return all((path / file).is_file() for file in ("model.bin", "config.json", "tokenizer.json"))


def _is_piper(path: Path) -> bool:
    return piper_model(path).is_file() and piper_config(path).is_file()


_WHOLE: Final = {
    "vosk": _is_vosk,
    "sherpa": lambda path: sherpa_files(path) is not None,
    "faster-whisper": _is_whisper,
    "piper": _is_piper,
}

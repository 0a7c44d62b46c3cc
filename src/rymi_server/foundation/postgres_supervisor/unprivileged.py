"""Root gives up its rights for PostgreSQL, which refuses to run with them."""

import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int


def account_to_run_as() -> Account | None:
    """`nobody` where we are root, else None: whoever we are will do."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_uid, nobody.pw_gid)


def closed_folder_above(place: Path) -> Path | None:
    """The first folder on the way to `place` through which others may not pass."""
    for folder in reversed(place.resolve().parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


def reachable_copy(programs: Path, place: Path) -> Path:
    """`programs`, or a copy of their whole installation in `place` where a parent folder is closed to others."""
    if closed_folder_above(programs / "postgres") is None:
        return programs
    installation = programs.parent
    package = installation.parent
    copied = place / package.name / installation.name
    if not (copied / programs.name / "postgres").exists():
        unfinished = place.with_name(place.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(installation, unfinished / package.name / installation.name, symlinks=True)
        # The wheel keeps the libraries that its programs load in a sibling of the package.
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        unfinished.rename(place)
    return copied / programs.name

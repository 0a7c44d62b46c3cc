"""`rymi doctor`: looks at everything that an installation needs, and says how to mend what is wrong."""

import asyncio
import os
import shutil
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from rymi_server.entrypoints.operating import Installation, NoDatabase, installation
from rymi_server.entrypoints.ports import PortTaken, is_listened_at, refuse_taken
from rymi_server.entrypoints.revisions import current_revision, newest_revision
from rymi_server.entrypoints.secrets_file import secrets_of
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.children import children_of, has_rooms, rooms_url
from rymi_server.entrypoints.up.probing import what_is_missing
from rymi_server.foundation.postgres_supervisor import PostgresMissing, find_binaries
from rymi_server.foundation.postgres_supervisor.binaries import OLDEST, major_version
from rymi_server.foundation.postgres_supervisor.unprivileged import account_to_run_as, closed_folder_above
from rymi_server.speech_engines.naming import parse

_SUPPORTED = ((3, 11), (3, 14))
_LEAST_FREE_BYTES = 1_000_000_000
_CLOCKS_MAY_DIFFER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and found. `mend` says what to do; without it, all is well."""

    what: str
    found: str
    mend: str | None = None

    def __str__(self) -> str:
        word = "problem" if self.mend else "ok"
        return f"{word:<8} {self.what:<12} {self.found}" + (f"\n{'':<22}{self.mend}" if self.mend else "")


def run() -> None:
    here = installation()
    findings = [
        python(sys.version_info[:2]),
        data_folder(here.settings.data_folder),
        disk(here.settings.data_folder, shutil.disk_usage(_nearest(here.settings.data_folder)).free),
        secrets(here),
        speech(here.settings),
        *asyncio.run(_asked_outside(here)),
    ]
    for finding in findings:
        print(finding)
    if any(finding.mend for finding in findings):
        sys.exit(1)


def python(version: tuple[int, int]) -> Finding:
    found = ".".join(map(str, version))
    oldest, newest = (".".join(map(str, each)) for each in _SUPPORTED)
    if _SUPPORTED[0] <= version <= _SUPPORTED[1]:
        return Finding("python", found)
    return Finding("python", found, f"Use Python {oldest} to {newest}: make clean && make PYTHON=python3.12 up")


def data_folder(folder: Path) -> Finding:
    nearest = _nearest(folder)
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Finding("data folder", f"{folder} cannot be written", "Choose another folder with RYMI_DATA_DIR.")
    if account_to_run_as() and (closed := closed_folder_above(nearest / "postgres")):
        return Finding(
            "data folder",
            f"PostgreSQL, which does not run as root, cannot get into {folder}",
            f"Choose another folder with RYMI_DATA_DIR, or run: chmod o+x {closed}",
        )
    return Finding("data folder", str(folder))


def speech(settings: Settings) -> Finding:
    """What agents hear and speak with that name nothing else."""
    names = [settings.default_stt, settings.default_tts]
    missing = settings.engine_readiness().missing(names)
    demo = any(parse(name).entry.quality == "demo" for name in names)
    found = ", ".join(names) + (" (demo quality; docs/reference/engines.md names better ones)" if demo else "")
    return Finding("speech", found, " ".join(missing) or None)


def disk(folder: Path, free_bytes: int) -> Finding:
    found = f"{free_bytes / 1e9:.1f} GB free for {folder}"
    enough = free_bytes >= _LEAST_FREE_BYTES
    return Finding("disk", found, None if enough else "Make room: PostgreSQL stops when its disk is full.")


def secrets(here: Installation) -> Finding:
    file = secrets_of(here.settings.data_folder).path
    if file.exists() and file.stat().st_mode & 0o077:
        return Finding("secrets", f"{file} can be read by others", f"Run: chmod 600 {file}")
    if here.settings.secret:
        return Finding("secrets", "RYMI_SECRET is set" if "RYMI_SECRET" in os.environ else f"kept in {file}")
    if here.settings.database_url:
        return Finding("secrets", "RYMI_SECRET is not set", "Set it, for all processes, to: $(openssl rand -hex 32)")
    return Finding("secrets", "none yet; `rymi up` makes them")


async def _asked_outside(here: Installation) -> list[Finding]:
    running, findings = await _database(here)
    return [*findings, *await _ports(here, running), await _livekit(here, running)]


async def _database(here: Installation) -> tuple[bool, list[Finding]]:
    """Whether a database answers, and what there is to say about it."""
    try:
        async with here.transaction() as tx:
            version = (await tx.execute(sa.text("show server_version_num"))).scalar_one()
            theirs = (await tx.execute(sa.select(sa.func.clock_timestamp()))).scalar_one()
            revision = await current_revision(tx)
    except NoDatabase as error:
        if here.settings.database_url:
            return False, [Finding("postgres", error.message, "Start it, or correct DATABASE_URL.")]
        return False, [_programs(here)]
    return True, [
        postgres_version(int(version) // 10_000),
        migrations(revision, newest_revision()),
        clock((datetime.now(UTC) - theirs).total_seconds()),
    ]


def _programs(here: Installation) -> Finding:
    try:
        programs = find_binaries(here.settings.postgres_binaries)
    except PostgresMissing as error:
        return Finding("postgres", "no programs", error.message)
    return Finding("postgres", f"not running; `rymi up` starts version {major_version(programs)} from {programs}")


def postgres_version(major: int) -> Finding:
    mend = None if major >= OLDEST else f"Use PostgreSQL {OLDEST} or newer."
    return Finding("postgres", f"version {major} answers", mend)


def migrations(found: str | None, wanted: str) -> Finding:
    mend = None if found == wanted else "Run: rymi migrate"
    return Finding("migrations", f"at {found or 'nothing'}, this version needs {wanted}", mend)


def clock(ahead_seconds: float) -> Finding:
    """Tokens carry times, so clocks that differ make good ones look old."""
    found = f"{abs(ahead_seconds):.1f} s {'ahead of' if ahead_seconds >= 0 else 'behind'} the database's"
    well = abs(ahead_seconds) <= _CLOCKS_MAY_DIFFER_SECONDS
    return Finding("clock", found, None if well else "Set both clocks by NTP.")


async def _ports(here: Installation, running: bool) -> list[Finding]:
    findings = []
    for child in children_of(here.settings, os.environ):
        what, where = f"port {child.port}", f"for `{child.name}`"
        if child.port == 0:
            continue
        if running and await what_is_missing(child.url + child.ready_path) is None:
            findings.append(Finding(what, f"{where}, which is ready"))
            continue
        try:
            refuse_taken(child.host, child.port, child.port_setting)
            findings.append(Finding(what, f"free {where}"))
        except PortTaken:
            mend = f"Stop what listens there, or choose another port with {child.port_setting}."
            findings.append(Finding(what, f"{where} is taken by something that is not ready", mend))
    return findings


async def _livekit(here: Installation, running: bool) -> Finding:
    own = has_rooms(os.environ)
    url = rooms_url(os.environ) if own else here.settings.livekit_url
    if await is_listened_at(url):
        return Finding("livekit", f"{url} answers")
    if own and not running:
        return Finding("livekit", "`rymi up` starts the embedded room server")
    return Finding("livekit", f"{url} does not answer", "Start it, or name another LiveKit server in LIVEKIT_URL.")


def _nearest(folder: Path) -> Path:
    """The folder itself, or what of its path is there already."""
    return next(each for each in (folder, *folder.resolve().parents) if each.exists())

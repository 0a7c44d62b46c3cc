"""One PostgreSQL cluster in a folder, run as a child process and reachable over a private socket only."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.orphans import dies_with_parent
from rymi_server.foundation.postgres_supervisor.binaries import find_binaries, major_version
from rymi_server.foundation.postgres_supervisor.lock_file import LockFile
from rymi_server.foundation.postgres_supervisor.unprivileged import (
    Account,
    account_to_run_as,
    closed_folder_above,
    reachable_copy,
)

DATABASE = "rymi"
# A look costs next to nothing.
LOOKS_EVERY_SECONDS = 0.02
_LONGEST_SOCKET_PATH = 90
_NAMES = "select datname from pg_database"


class PostgresFailed(Unavailable):
    code = "postgres_failed"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


@dataclass
class PostgresServer:
    """Starts, and stops with whoever started it, a cluster below `home`. Start it from the main thread."""

    home: Path
    binaries: Path | None = None
    settings: Sequence[str] = ()

    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _programs: Path | None = field(default=None, init=False, repr=False)

    @property
    def cluster(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    @property
    def url(self) -> str:
        """Where clients connect. The socket's folder is closed to everybody else, so there is no password."""
        return f"postgresql://postgres@/{DATABASE}?host={quote(str(self._sockets), safe='')}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def _lock(self) -> LockFile:
        return LockFile(self.cluster)

    @property
    def _sockets(self) -> Path:
        return self.home / "socket"

    def start(self) -> None:
        """For who has nothing else to do: return once connections are accepted, however long that takes, and raise
        `PostgresFailed` where it ends first."""
        self.launch()
        while not self.is_ready():
            time.sleep(LOOKS_EVERY_SECONDS)

    def launch(self) -> None:
        """For those who have other things to do until it `is_ready`."""
        if len(str(self._sockets)) > _LONGEST_SOCKET_PATH:
            raise PostgresFailed(
                f"{self.home} is too long a path for a PostgreSQL socket. Choose a shorter data folder."
            )
        account = account_to_run_as()
        self._make_folders(account)
        programs = find_binaries(self.binaries)
        if account:
            programs = reachable_copy(programs, self.home / "programs")
        if not (self.cluster / "PG_VERSION").exists():
            self._create_cluster(programs, account)
        self._refuse_another_major(programs)
        self._free_cluster()
        self._programs = programs
        self._launch(programs, account)

    def is_ready(self) -> bool:
        """Whether connections are accepted. Raise `PostgresFailed`, quoting the log, where it has ended instead."""
        assert self._process is not None
        assert self._programs is not None
        if self._process.poll() is not None:
            raise PostgresFailed(f"PostgreSQL did not start. Its log, {self.log}, ends: {self._end_of_log(3)}")
        if not self._lock.accepts_connections(self._process.pid):
            return False
        self._create_database(self._programs, account_to_run_as())
        return True

    def last_words(self) -> str:
        """The last line of its log, without the time and who wrote it."""
        return self._end_of_log(1).rpartition(":  ")[2]

    def wait(self) -> int:
        """Return the exit code once the server has ended, for whatever reason."""
        assert self._process is not None
        return self._process.wait()

    def stop(self) -> None:
        """Ask for a fast shutdown: sessions are ended, nothing committed is lost."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        self._process.wait()
        self._process = None

    def _make_folders(self, account: Account | None) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if account and (closed := closed_folder_above(self.cluster)):
            raise PostgresFailed(
                f"PostgreSQL does not run as root but as `nobody`, who cannot get into {self.home} because {closed} is "
                f"closed to others. Choose another data folder with RYMI_DATA_DIR, or run: chmod o+x {closed}"
            )
        self._make_private(self._sockets, account)
        self.log.touch(mode=0o600)

    def _make_private(self, folder: Path, account: Account | None) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        if account:
            os.chown(folder, account.uid, account.gid)

    def _create_cluster(self, programs: Path, account: Account | None) -> None:
        # The builtin locale needs nothing of the system's and never changes its mind about sorting; it came with 17.
        locale: list[str | Path] = (
            ["--locale-provider=builtin", "--locale=C.UTF-8"] if major_version(programs) >= 17 else ["--locale=C"]
        )
        flags = ["--auth=trust", "--no-sync", "--no-instructions"]
        # Whoever is interrupted here leaves a folder that is not yet called the cluster.
        unfinished = self.cluster.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_private(unfinished, account)
        self._run([programs / "initdb", "-D", unfinished, "-U", "postgres", "-E", "UTF8", *locale, *flags], account)
        if self.cluster.exists():
            self.cluster.rmdir()
        unfinished.rename(self.cluster)

    def _refuse_another_major(self, programs: Path) -> None:
        stored, ours = int((self.cluster / "PG_VERSION").read_text()), major_version(programs)
        if stored != ours:
            raise PostgresFailed(
                f"{self.cluster} was made by PostgreSQL {stored} and the programs here are {ours}. "
                "docs/guides/upgrading.md says how to move the data over."
            )

    def _free_cluster(self) -> None:
        if pid := self._lock.free():
            raise PostgresFailed(f"Another PostgreSQL (process {pid}) uses {self.cluster} and does not stop.")

    def _launch(self, programs: Path, account: Account | None) -> None:
        options = ["listen_addresses=", "max_connections=200", "shared_buffers=64MB", *self.settings]
        flags = [word for option in options for word in ("-c", option)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [programs / "postgres", "-D", self.cluster, "-k", self._sockets, *flags],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd="/",
                # Its own session: Ctrl-C at the terminal reaches us, and we stop it last.
                start_new_session=True,
                # Where the kernel cannot end it after us, the next start does.
                preexec_fn=dies_with_parent(signal.SIGINT),
                **_as(account),
            )

    def _create_database(self, programs: Path, account: Account | None) -> None:
        made = self.cluster / ".rymi-database-made"
        if made.exists():
            return
        connect: list[str | Path] = ["-h", self._sockets, "-U", "postgres"]
        found = self._run([programs / "psql", *connect, "-d", "postgres", "-AtXc", _NAMES], account)
        if DATABASE not in found.split():
            self._run([programs / "psql", *connect, "-d", "postgres", "-qXc", f"create database {DATABASE}"], account)
        made.touch()

    def _run(self, command: Sequence[str | Path], account: Account | None) -> str:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            command,
            check=False,
            cwd="/",
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGKILL),
            **_as(account),
        )
        if done.returncode != 0:
            raise PostgresFailed(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _end_of_log(self, lines: int) -> str:
        return " / ".join(self.log.read_text(errors="replace").strip().splitlines()[-lines:]) or "(empty)"


def _as(account: Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}

"""A cluster's `postmaster.pid`: who serves it, whether they are ready, and what to do about one left by a crash."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

_STOPS_WITHIN_SECONDS: Final = 60
_LINE_OF_STATUS: Final = 7
_ACCEPTS: Final = "ready"


class LockFile:
    def __init__(self, cluster: Path) -> None:
        self._cluster = cluster
        self._path = cluster / "postmaster.pid"

    def accepts_connections(self, pid: int) -> bool:
        """Whether process `pid` serves the cluster and has said so here, where `pg_ctl` looks for it, too."""
        lines = self._lines()
        return len(lines) > _LINE_OF_STATUS and lines[0] == str(pid) and lines[_LINE_OF_STATUS].strip() == _ACCEPTS

    def free(self) -> int | None:
        """Have nobody hold the cluster; else the process that does and would not stop.

        A server that outlived its parent (where the kernel cannot end it for us) is stopped. After a power cut the
        number may be that of anybody, of another PostgreSQL too, who is left alone.
        """
        lines = self._lines()
        try:
            pid = abs(int(lines[0]))
        except (IndexError, ValueError):
            # Lost in a power cut. PostgreSQL starts beside no lock, but not beside one that says nothing.
            self._path.unlink(missing_ok=True)
            return None
        if not self._is_served_by(pid):
            # By its parent's number PostgreSQL knows that its lock is stale. By that of a stranger it does not; and it
            # looks at the rest of the file, so that stays.
            self._path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
            return None
        return None if self._is_stopped(pid) else pid

    def _lines(self) -> list[str]:
        try:
            return self._path.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return []

    def _is_stopped(self, pid: int) -> bool:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + _STOPS_WITHIN_SECONDS
        while self._is_served_by(pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _is_served_by(self, pid: int) -> bool:
        """A server's current folder is its cluster, and its command line names it."""
        process = Path(f"/proc/{pid}")
        if Path("/proc/self").exists():
            try:
                is_postgres = (process / "comm").read_text().strip() == "postgres"
                return is_postgres and (process / "cwd").samefile(self._cluster)
            except OSError:
                return False
        program = shutil.which("ps")
        if not program:
            return False
        asked = [program, "-ww", "-p", str(pid), "-o", "args="]
        printed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
        return f"postgres -D {self._cluster} " in printed

"""Reports that the API could not be given yet, on the agent's own disk. Whoever finds a journal may deliver it."""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from rymi_server.runtime.reports import Numbered

SUFFIX = ".reports.jsonl"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a call's reports go."""

    api_url: str
    call_id: str
    token: str
    run: str

    @property
    def reports_url(self) -> str:
        return f"{self.api_url.rstrip('/')}/internal/v1/calls/{self.call_id}/reports"

    @property
    def death_url(self) -> str:
        return f"{self.api_url.rstrip('/')}/internal/v1/calls/{self.call_id}/runs/{self.run}/death"

    @property
    def briefing_url(self) -> str:
        return f"{self.api_url.rstrip('/')}/internal/v1/calls/{self.call_id}/briefing?run={quote(self.run, safe='')}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Journal:
    """A first line that says where to, then one numbered report a line. Its methods block: call them from a thread.

    Whoever writes it holds it locked, so that nobody else delivers it meanwhile.
    """

    def __init__(self, path: Path, address: Address) -> None:
        self.path = path
        self.address = address
        self._held: int | None = None
        self._read_to = 0
        # Reports that lie in the file and are not delivered.
        self.waiting = 0

    @classmethod
    def left_at(cls, path: Path) -> "Journal":
        """One that its writer left behind. A last line that was not finished is none.

        Raise `BlockingIOError` where the writer lives, and `ValueError` where no journal lies there.
        """
        held = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with path.open() as file:
                journal = cls(path, Address(**json.loads(file.readline())))
                journal.waiting = sum(line.endswith("\n") for line in file)
        except TypeError as error:
            os.close(held)
            raise ValueError("this is no journal") from error
        except (OSError, ValueError):
            os.close(held)
            raise
        journal._held = held
        return journal

    def append(self, reports: Sequence[Numbered]) -> None:
        lines = [report.model_dump_json() for report in reports]
        if self._held is None:
            self._held = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)
            if os.fstat(self._held).st_size == 0:
                lines.insert(0, json.dumps(asdict(self.address)))
        write_whole(self._held, ("\n".join(lines) + "\n").encode())
        os.fsync(self._held)
        self.waiting += len(reports)

    def head(self, most: int) -> list[Numbered]:
        """The oldest reports that wait. Repeated until `delivered` is called."""
        with self.path.open() as file:
            if not self._read_to:
                file.readline()
                self._read_to = file.tell()
            file.seek(self._read_to)
            lines = [file.readline() for _ in range(most)]
        return [Numbered.model_validate_json(line) for line in lines if line.endswith("\n")]

    def delivered(self, reports: Sequence[Numbered]) -> None:
        """The head of the journal is with the API. An empty journal leaves no file."""
        with self.path.open() as file:
            file.seek(self._read_to)
            for _ in reports:
                file.readline()
            self._read_to = file.tell()
        self.waiting -= len(reports)
        if self.waiting <= 0:
            self.path.unlink(missing_ok=True)
            self._read_to, self.waiting = 0, 0
            self.let_go()

    def let_go(self) -> None:
        """Somebody else may deliver what is left."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def write_whole(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]

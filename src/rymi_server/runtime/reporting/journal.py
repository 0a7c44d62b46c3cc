"""Reports that the API could not be given yet, on the agent's own disk. Whoever finds a journal may deliver it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

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
    def briefing_url(self) -> str:
        return f"{self.api_url.rstrip('/')}/internal/v1/calls/{self.call_id}/briefing"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Journal:
    """A first line that says where to, then one numbered report a line. Its methods block: call them from a thread."""

    def __init__(self, path: Path, address: Address) -> None:
        self.path = path
        self._address = address
        self._read_to = 0
        # Reports that lie in the file and are not delivered.
        self.waiting = 0

    def append(self, reports: Sequence[Numbered]) -> None:
        new = not self.path.exists()
        lines = [json.dumps(asdict(self._address))] if new else []
        lines += [report.model_dump_json() for report in reports]
        with os.fdopen(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "a") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
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


def found(path: Path) -> Journal:
    """A journal that its writer left behind. A last line that was not finished is none. Raise `ValueError`."""
    with path.open() as file:
        address = Address(**json.loads(file.readline()))
        count = sum(line.endswith("\n") for line in file)
    journal = Journal(path, address)
    journal.waiting = count
    return journal


def address_of(path: Path) -> Address:
    with path.open() as file:
        return Address(**json.loads(file.readline()))

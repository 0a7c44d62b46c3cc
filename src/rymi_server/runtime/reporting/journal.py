"""Reports that the API could not be given yet, on the agent's own disk. Whoever finds a journal may deliver it."""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

import structlog
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from rymi_server.runtime.reports import Numbered

log = structlog.get_logger(__name__)

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
        """All of them, or none where the disk does not take them: raise `OSError`. One that is no JSON is left out."""
        lines = [line for report in reports if (line := _line(report)) is not None]
        if self._held is None:
            self._held = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._held, fcntl.LOCK_EX)
        size = os.fstat(self._held).st_size
        first = [] if size else [json.dumps(asdict(self.address)).encode() + b"\n"]
        try:
            write_whole(self._held, b"".join([*first, *lines]))
            os.fsync(self._held)
        except OSError:
            # A full disk takes a part, and what comes next must not go on in the middle of a line.
            os.ftruncate(self._held, size)
            raise
        self.waiting += len(lines)

    def head(self, most: int) -> list[Numbered]:
        """The oldest reports that wait. Repeated until `delivered` is called. What cannot be read is left out."""
        found: list[Numbered] = []
        with self.path.open("rb") as file:
            file.seek(self._read_to or len(file.readline()))
            self._read_to = file.tell()
            while len(found) < most and (line := file.readline()).endswith(b"\n"):
                try:
                    found.append(Numbered.model_validate_json(line))
                except ValidationError as error:
                    if found:
                        break
                    log.error("report_unreadable", call_id=self.address.call_id, count=error.error_count())
                    self._read_to = file.tell()
                    self.waiting -= 1
        if not found:
            self.waiting = 0
            self._end_if_empty()
        return found

    def delivered(self, reports: Sequence[Numbered]) -> None:
        """The head of the journal is with the API. An empty journal leaves no file."""
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for _ in reports:
                file.readline()
            self._read_to = file.tell()
        self.waiting -= len(reports)
        self._end_if_empty()

    def _end_if_empty(self) -> None:
        if self.waiting <= 0:
            self.path.unlink(missing_ok=True)
            self._read_to, self.waiting = 0, 0
            self.let_go()

    def let_go(self) -> None:
        """Somebody else may deliver what is left."""
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _line(report: Numbered) -> bytes | None:
    try:
        return report.model_dump_json().encode() + b"\n"
    except PydanticSerializationError as error:
        log.error("report_unwritable", kind=report.report.kind, error=str(error))
        return None


def write_whole(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]

"""Where an agent's machine keeps pieces of recordings until they are with everybody else's.

Beside each piece lies a slip that says whose it is and whom to tell. Whoever writes a piece holds its slip locked, so a
slip that nobody holds belongs to a process that is gone.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rymi_server.runtime.reporting.journal import Address

SLIP_SUFFIX: Final = ".slip.json"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one call's recording, written by one run of an agent."""

    path: Path
    tenant_id: str
    number: int
    started_at_ms: int
    address: Address
    tracks: Mapping[str, str] = field(default_factory=dict)

    @property
    def slip_path(self) -> Path:
        return self.path.with_name(self.path.stem + SLIP_SUFFIX)


class HeldPiece:
    """A piece that this process writes."""

    def __init__(self, piece: Piece) -> None:
        """Raise `OSError`, and leave nothing behind."""
        self.piece = piece
        piece.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._slip = os.open(piece.slip_path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._slip, fcntl.LOCK_EX)
        try:
            self.note(piece)
        except OSError:
            self.let_go(remove=True)
            raise

    def note(self, piece: Piece) -> None:
        """Write down what is known by now."""
        self.piece = piece
        told = {**asdict(piece), "path": piece.path.name, "tracks": dict(piece.tracks)}
        data = json.dumps(told).encode()
        os.pwrite(self._slip, data, 0)
        os.ftruncate(self._slip, len(data))
        os.fsync(self._slip)

    def let_go(self, *, remove: bool) -> None:
        """`remove`: the piece and its slip are not needed any more."""
        if remove:
            remove_piece(self.piece)
        os.close(self._slip)


class Shelf:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def piece(self, address: Address, tenant_id: str, started_at_ms: int) -> Piece:
        """Numbered by its time: whoever follows a process that died, anywhere, has a later one."""
        path = self.folder / f"{address.call_id}.{address.run}-{started_at_ms}.wav"
        return Piece(path, tenant_id, started_at_ms, started_at_ms, address)

    def abandoned(self) -> Iterator[HeldPiece]:
        """Pieces whose writers are gone, each held by us from here on."""
        for slip in sorted(self.folder.glob(f"*{SLIP_SUFFIX}")):
            if (held := _taken_over(slip)) is not None:
                yield held


def remove_piece(piece: Piece) -> None:
    for name in piece.tracks.values():
        piece.path.with_name(name).unlink(missing_ok=True)
    piece.path.unlink(missing_ok=True)
    piece.slip_path.unlink(missing_ok=True)


def _taken_over(slip: Path) -> HeldPiece | None:
    try:
        opened = os.open(slip, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        piece = _read(slip, os.pread(opened, 1_000_000, 0))
    except BlockingIOError:
        os.close(opened)
        return None
    except (ValueError, KeyError, TypeError):
        # A slip that was not finished names nobody to be told.
        os.close(opened)
        return None
    held = HeldPiece.__new__(HeldPiece)
    held.piece, held._slip = piece, opened
    return held


def _read(slip: Path, data: bytes) -> Piece:
    told: dict[str, Any] = json.loads(data)
    address = Address(**told.pop("address"))
    return Piece(path=slip.with_name(told.pop("path")), address=address, **told)

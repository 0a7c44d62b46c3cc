"""Puts finished pieces of a recording where all processes find them. Used by whoever records; knows no database.

A piece is a WAV file that one run of an agent wrote on its own disk. Depositing it again changes nothing.
"""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path

from rymi_server.foundation.object_storage import ObjectStorage
from rymi_server.recordings.wav import NotAWav, Wav, repair

__all__ = ["Deposited", "NotAWav", "deposit", "segment_key"]

_RUN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Deposited:
    """Where a piece lies, and how much sound it is."""

    key: str
    duration_ms: int
    channels: int
    rate: int
    bytes: int


def folder_of(tenant_id: str, call_id: str) -> str:
    """Where everything that was recorded of a call lies."""
    return f"recordings/{tenant_id}/{call_id}/"


def segment_key(tenant_id: str, call_id: str, run: str, number: int) -> str:
    """The name of piece `number` (from 0) of a run."""
    if not _RUN.fullmatch(run) or number < 0:
        raise ValueError("not a run and the number of a piece")
    return f"{folder_of(tenant_id, call_id)}{run}-{number}.wav"


async def deposit(storage: ObjectStorage, path: Path, key: str, *, keep: bool = False) -> Deposited:
    """Repair the file at `path`, store it under `key`, and remove it unless it is to be kept.

    Raises `NotAWav` for a file without sound in it, and `StorageUnavailable`; the file is then still there.
    """
    wav: Wav = await asyncio.to_thread(repair, path)
    if not wav.frames:
        raise NotAWav("it has no sound")
    await storage.put_file(key, path, "audio/wav")
    if not keep:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    return Deposited(key, wav.duration_ms, wav.channels, wav.rate, wav.data_offset + wav.data_bytes)

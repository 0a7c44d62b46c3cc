"""Brings pieces of recordings from an agent's disk to the storage: at the end of a call, and after a crash."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog

from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.object_storage import ObjectStorage
from rymi_server.recordings.deposit import deposit, segment_key
from rymi_server.recordings.wav import NotAWav
from rymi_server.runtime.recording.shelf import Piece, Shelf
from rymi_server.runtime.reporting.internal_api import InternalApi
from rymi_server.runtime.reporting.journal import SUFFIX, Journal
from rymi_server.runtime.reporting.reporter import Undelivered
from rymi_server.runtime.reports import Numbered, Reports, SegmentRecorded

log = structlog.get_logger(__name__)

_BATCH = 100


@dataclass(frozen=True, slots=True)
class Storing:
    """Keeps the promise of `HandIn`."""

    storage: ObjectStorage

    async def __call__(self, piece: Piece) -> SegmentRecorded:
        key = segment_key(piece.tenant_id, piece.address.call_id, piece.address.run, piece.number)
        stored = await deposit(self.storage, piece.path, key, keep=True)
        tracks = {}
        for index, (who, name) in enumerate(sorted(piece.tracks.items())):
            track_key = key.removesuffix(".wav") + f".track{index + 1}.wav"
            try:
                await deposit(self.storage, piece.path.with_name(name), track_key, keep=True)
            except (NotAWav, FileNotFoundError):
                continue  # Somebody of whom nothing was heard.
            tracks[who] = track_key
        return SegmentRecorded(
            key=stored.key, started_at_ms=piece.started_at_ms, duration_ms=stored.duration_ms, tracks=tracks
        )


@dataclass(frozen=True, slots=True)
class Clearing:
    """Finishes what agents left on this machine when they were killed."""

    shelf: Shelf
    storing: Storing
    http: aiohttp.ClientSession

    async def __call__(self) -> None:
        """What cannot be finished now is left for the next time."""
        for held in await asyncio.to_thread(lambda: list(self.shelf.abandoned())):
            held.let_go(remove=await self._handed_in(held.piece))
        for path in sorted(self.shelf.folder.glob(f"*{SUFFIX}")):
            await self._deliver(path)

    async def _handed_in(self, piece: Piece) -> bool:
        """Whether the piece is where it belongs, and the API knows of it."""
        try:
            recorded = await self.storing(piece)
            # A run of its own: nobody knows how far the lost one had counted.
            batch = Reports(
                run=f"{piece.address.run}-torn-{piece.number}"[-64:], reports=(Numbered(sequence=0, report=recorded),)
            )
            await InternalApi(self.http, piece.address).post(batch)
        except NotAWav:
            return True
        except FileNotFoundError:
            return True
        except Unavailable as error:
            log.warning("torn_recording_not_handed_in", call_id=piece.address.call_id, error=error.message)
            return isinstance(error, Undelivered) and error.refused
        log.info("torn_recording_handed_in", call_id=piece.address.call_id)
        return True

    async def _deliver(self, path: Path) -> None:
        """The reports of an agent that is gone."""
        try:
            journal = await asyncio.to_thread(Journal.left_at, path)
        except (ValueError, FileNotFoundError, BlockingIOError):
            return
        api = InternalApi(self.http, journal.address)
        # A run of its own: a process that came after may have counted on from the same number.
        run = f"{journal.address.run}-late-{path.name.removesuffix(SUFFIX).rpartition('.')[2]}"[-64:]
        try:
            while journal.waiting and (batch := await asyncio.to_thread(journal.head, _BATCH)):
                await api.post(Reports(run=run, reports=tuple(batch)))
                await asyncio.to_thread(journal.delivered, batch)
        except Undelivered as error:
            log.warning("left_reports_not_delivered", call_id=journal.address.call_id, error=error.message)
        finally:
            journal.let_go()

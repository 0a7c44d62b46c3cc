"""A call's recording as the call sees it: it may be off, wait for consent, or run; and at its end it is handed in."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from rymi_server.foundation.errors import Unavailable
from rymi_server.recordings.wav import NotAWav
from rymi_server.runtime.recording.growing_wav import WavWriter
from rymi_server.runtime.recording.recorder import Recorder, Samples
from rymi_server.runtime.recording.shelf import HeldPiece, Piece
from rymi_server.runtime.reports import SegmentRecorded
from rymi_server.runtime.speaking.player import Listener

log = structlog.get_logger(__name__)


class HandIn(Protocol):
    """Puts a finished piece where everybody finds it. The file stays."""

    async def __call__(self, piece: Piece) -> SegmentRecorded:
        """Raise `Unavailable`, or `NotAWav` where there is no sound in it."""
        ...


@dataclass(slots=True)
class Tape(Listener):
    """`new_piece` makes the next piece, given when it starts on the call's clock. A listener of the player."""

    new_piece: Callable[[int], Piece]
    hand_in: HandIn
    keeps_tracks: bool
    _recorder: Recorder | None = None
    _writer: WavWriter | None = None
    _held: HeldPiece | None = None
    _begun: bool = False
    _handed_in: bool = False

    @property
    def running(self) -> bool:
        return self._recorder is not None

    def start(self, now: float, started_at_ms: int) -> None:
        """From now on. Raise `OSError` where the disk does not take it. Repeated, it changes nothing either way."""
        if not self._begun:
            self._begun = True
            self._held = HeldPiece(self.new_piece(started_at_ms))
            self._writer = WavWriter()
            self._recorder = Recorder(self._held.piece.path, now, self._writer, self.keeps_tracks)

    def tick(self, now: float) -> None:
        if self._recorder:
            for _ in range(self._recorder.ticks_due(now)):
                self._recorder.tick()

    def person(self, who: str, ended: float, samples: Samples) -> None:
        if self._recorder and self._held:
            self._recorder.person(who, ended, samples)
            if self._recorder.tracks != len(self._held.piece.tracks):
                self._note({who: path.name for who, path in self._recorder.track_paths().items()}, self._held)

    def _note(self, tracks: Mapping[str, str], held: HeldPiece) -> None:
        try:
            held.note(replace(held.piece, tracks=tracks))
        except OSError as error:
            # We know it all the same; only whoever has to clear up after us does not.
            log.warning("slip_not_written", error=str(error))

    def played(self, at: float, block: bytes) -> None:
        if self._recorder:
            self._recorder.agent(at, block)

    def cut(self, at: float) -> None:
        if self._recorder:
            self._recorder.cut(at)

    async def finish(self) -> SegmentRecorded | None:
        """Close the file and hand it in. None where there is nothing, or where it must be handed in later."""
        if self._recorder is None or self._writer is None or self._held is None:
            return None
        recorder, self._recorder = self._recorder, None
        recorder.finish()
        if not await asyncio.to_thread(self._writer.close):
            log.warning("recording_incomplete", count=self._writer.lost_writes)
        try:
            recorded = await self.hand_in(self._held.piece)
        except (NotAWav, FileNotFoundError):
            self._handed_in = True  # There is nothing to be handed in.
            return None
        except Unavailable as error:
            log.warning("recording_not_handed_in", error=error.message)
            return None
        self._handed_in = True
        return recorded.model_copy(update={"peaks": recorder.peaks.outline()})

    def let_go(self) -> None:
        """The API was told of the piece, or will be. One that was not handed in is left for whoever clears up."""
        if self._held is not None:
            self._held.let_go(remove=self._handed_in)
            self._held = None

"""`rymi replay`: runs a recorded call through another turn detector, and prints what would have changed."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rymi_server.calls import turns
from rymi_server.calls.models import calls
from rymi_server.entrypoints.operating import Installation, installation
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import NotFound
from rymi_server.foundation.ids import CallId, is_uuid
from rymi_server.recordings import store as recordings
from rymi_server.recordings.models import RecordingStatus
from rymi_server.recordings.wav import read_wav
from rymi_server.runtime.turn_taking.choosing import detector_for
from rymi_server.runtime.turn_taking.comparing import FRAME_BYTES, Difference, Turn, compare, replay, traced
from rymi_server.runtime.turn_taking.modes import Overrides
from rymi_server.runtime.turn_taking.scores import installed_scores
from rymi_server.runtime.turn_taking.signals import Mode
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.models import Speaker

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class NothingToReplay(NotFound):
    def __init__(self, why: str) -> None:
        super().__init__(f"This call cannot be replayed: {why}.")


@app.command()
def run(
    call: Annotated[str, typer.Argument(metavar="CALL", help="The call's id.")],
    turn_detector: Annotated[Mode, typer.Option("--turn-detector", help="Which mode to run it through.")],
) -> None:
    """Run a recorded call through another turn detector, and print what would have changed."""
    asyncio.run(_replay(installation(), call, turn_detector))


async def _replay(here: Installation, call_id: str, mode: Mode) -> None:
    async with here.transaction() as tx:
        key, taken, lines = await _facts_of(tx, call_id)
    with tempfile.TemporaryDirectory(prefix="rymi-replay-") as folder:
        sound = Path(folder) / "stereo.wav"
        await here.settings.storage().fetch(key, sound)
        detector = detector_for(mode, Overrides(), installed_scores())
        now = replay(detector, _left(sound), lines)
    used = detector.used
    title = f"{used.mode} ({used.engine}{', standing in' if used.fallback else ''})"
    _print(compare(taken, now.turns), title, now.dropped)


async def _facts_of(tx: Transaction, call_id: str) -> tuple[str, Sequence[Turn], list[tuple[int, str]]]:
    """Where the recording lies, the turns as they were taken, and the caller's lines."""
    known = is_uuid(call_id) and (await tx.execute(calls.select().where(calls.c.id == call_id))).one_or_none()
    if not known:
        raise NothingToReplay("there is no such call")
    recorded = await recordings.latest(tx, CallId(call_id))
    if recorded is None or recorded.status is not RecordingStatus.READY:
        raise NothingToReplay("it has no recording")
    said = await transcripts.of_call(tx, CallId(call_id))
    lines = [(entry.ended_at_ms or 0, entry.text) for entry in said if entry.speaker is Speaker.USER]
    return recorded.metadata["stereo_mix"]["key"], traced(await turns.of_call(tx, CallId(call_id))), sorted(lines)


def _left(sound: Path) -> Iterator[bytes]:
    """The people's side, 20 ms at a time."""
    wav = read_wav(sound)
    with sound.open("rb") as file:
        file.seek(wav.data_offset)
        while len(block := file.read(FRAME_BYTES * 2)) == FRAME_BYTES * 2:
            yield memoryview(block).cast("h")[::2].tobytes()


def _print(differences: Sequence[Difference], title: str, dropped: int) -> None:
    table = Table(title=f"As it was, and with {title}")
    for name in ("speech ended", "waited", "would wait", "answer", "what"):
        table.add_column(name, justify="right" if name != "what" else "left")
    for each in differences:
        table.add_row(*_row(each))
    console = Console()
    console.print(table)
    later = sorted(each.later_ms for each in differences if each.later_ms is not None)
    if later:
        console.print(f"The middle answer would have begun {_shift(later[len(later) // 2])}.")
    console.print(f"False starts that would have been dropped: {dropped}.")


def _row(each: Difference) -> tuple[str, str, str, str, str]:
    turn = each.then or each.now
    assert turn is not None
    at = f"{turn.speech_ended_at_ms / 1000:.2f} s"
    if each.then is None:
        return at, "", f"{turn.waited_ms} ms", "", "a turn that was not taken"
    if each.now is None:
        return at, f"{turn.waited_ms} ms", "", "", "not taken for a turn of its own"
    shift = _shift(each.later_ms or 0)
    return at, f"{each.then.waited_ms} ms", f"{each.now.waited_ms} ms", shift, f"{each.then.why} / {each.now.why}"


def _shift(later_ms: int) -> str:
    return "at the same time" if not later_ms else f"{abs(later_ms)} ms {'later' if later_ms > 0 else 'sooner'}"

"""A carrier that writes each call it places on a tape, so that nothing it did is forgotten when somebody is killed."""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.unasked_carrier import UnaskedCarrier

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.telephony.carriers.carrier import ConnectedCarrier, Dial, LegReport, PlacedCall, Search
from rymi_server.telephony.models import LegStatus


@dataclass
class TapeCarriers:
    """Every tenant dials through the tape."""

    path: Path

    async def of(self, tx: Transaction, tenant_id: TenantId) -> ConnectedCarrier | None:
        return _on(self.path)

    async def by_id(self, tx: Transaction, connection_id: str) -> ConnectedCarrier | None:
        return _on(self.path)


def _on(path: Path) -> ConnectedCarrier:
    return ConnectedCarrier("con_tape", "tape:1", TapeCarrier(path), calls_per_second=1_000)


@dataclass
class TapeCarrier(UnaskedCarrier):
    path: Path
    name: str = "tape"

    async def place_call(self, dial: Dial) -> str:
        tape = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(tape, f"{dial.leg_id} {dial.to_number}\n".encode())
        os.fsync(tape)
        os.close(tape)
        # A carrier's answer takes a moment, in which its phone rings and we know nothing yet.
        await asyncio.sleep(0.05)
        return f"tape-{dial.leg_id}"

    async def find_calls(self, search: Search) -> Sequence[str]:
        return [f"tape-{leg}" for leg, number in _lines(self.path) if number == search.to_number]

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        return LegReport(call.id, LegStatus.QUEUED)


def _lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def dialed(path: Path) -> Counter[str]:
    """How often each leg was dialed."""
    return Counter(leg for leg, _ in _lines(path))

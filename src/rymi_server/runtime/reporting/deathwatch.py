"""Tells the API at once of runs that died on this machine, whoever's they were: no server notices it so soon."""

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog

from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.reporting.life import Life, left_behind
from rymi_server.runtime.reporting.reporter import Undelivered

log = structlog.get_logger(__name__)

_SHORTEST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 10.0


class Tell(Protocol):
    async def __call__(self, address: Address) -> None:
        """Whose run it was is gone. Raise `Undelivered`."""
        ...


@dataclass(frozen=True, slots=True)
class Deathwatch:
    """Any number may watch one folder: each death is told by one of them."""

    folder: Path
    tell: Tell
    looks_every_s: float = 0.25
    longest_wait_s: float = _LONGEST_WAIT_S

    async def watch(self) -> None:
        """Until cancelled. Who was not told of by then is left to the next one who watches."""
        async with asyncio.TaskGroup() as telling:
            while True:
                for life in await asyncio.to_thread(self._found):
                    telling.create_task(self._tell(life))
                await asyncio.sleep(self.looks_every_s)

    def _found(self) -> list[Life]:
        return list(left_behind(self.folder))

    async def _tell(self, life: Life) -> None:
        """The file stays until the API has answered."""
        log.warning("agent_found_dead", call_id=life.address.call_id)
        failures = 0
        try:
            while not await self._is_told(life.address, failures):
                failures += 1
                longest = min(self.longest_wait_s, _SHORTEST_WAIT_S * 2 ** min(failures, 10))
                await asyncio.sleep(longest * random.uniform(0.5, 1.0))  # noqa: S311 - Spreads retries, guards nothing.
            await asyncio.to_thread(life.end)
        finally:
            life.let_go()

    async def _is_told(self, address: Address, failures: int) -> bool:
        """Whether it is done with. Nobody is told again who wants to hear nothing of it."""
        try:
            await self.tell(address)
        except Undelivered as error:
            if error.refused:
                log.info("death_not_heard", call_id=address.call_id, error=error.message)
            elif not failures:
                log.warning("death_not_told", call_id=address.call_id, error=error.message)
            return error.refused
        return True

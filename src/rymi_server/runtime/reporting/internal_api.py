"""The internal endpoints as an agent asks them: the briefing before a call, reports while it runs, and its death."""

import asyncio
from dataclasses import dataclass
from typing import Final

import aiohttp
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from rymi_server.foundation.errors import Unavailable
from rymi_server.runtime.briefing import Briefing
from rymi_server.runtime.reporting.journal import Address
from rymi_server.runtime.reporting.reporter import Undelivered
from rymi_server.runtime.reports import Answer, Reports

_ANSWERS_WITHIN = aiohttp.ClientTimeout(total=5)
_BRIEFING_TRIES: Final = 20
_BRIEFING_WAIT_S: Final = 0.5
# These say that the batch is wrong, not that the time is.
_REFUSED: Final = {400, 413, 422}
# These say that the call is none to be told of any more, or that its day is over.
_HEARS_NO_MORE: Final = _REFUSED | {401, 403, 404, 410}
# The call is over, or another agent was sent for instead.
_NOT_WANTED: Final = {409, 410}


class NoBriefing(Unavailable):
    code = "no_briefing"

    def __init__(self, because: str) -> None:
        super().__init__(f"The API does not say what this call is about: {because}", retryable=True)


class NotWanted(NoBriefing):
    """Nothing went wrong: whoever was sent for comes too late."""


@dataclass(frozen=True, slots=True)
class InternalApi:
    http: aiohttp.ClientSession
    address: Address

    async def briefing(self) -> Briefing:
        """Asked for some time if need be: the API may be restarting. Raise `NoBriefing`, and `NotWanted` by name."""
        because = ""
        for attempt in range(_BRIEFING_TRIES):
            if attempt:
                await asyncio.sleep(_BRIEFING_WAIT_S)
            try:
                status, body = await self._asked()
            except (aiohttp.ClientError, TimeoutError) as error:
                because = repr(error)
                continue
            if status == 200:
                return _briefing(body)
            because = f"it answers {status}"
            if status in _NOT_WANTED:
                raise NotWanted(because)
            if status in (401, 403, 404):
                break
        raise NoBriefing(because)

    async def _asked(self) -> tuple[int, bytes]:
        url, headers = self.address.briefing_url, self.address.headers
        async with self.http.get(url, headers=headers, timeout=_ANSWERS_WITHIN) as response:
            return response.status, await response.read()

    async def post(self, reports: Reports) -> Answer:
        try:
            body = reports.model_dump_json()
        except PydanticSerializationError as error:
            raise Undelivered(f"a report is no JSON: {error}", refused=True) from error
        status, answer = await self._told(self.address.reports_url, body)
        if status != 200:
            raise Undelivered(f"the API answers {status}", refused=status in _REFUSED)
        try:
            return Answer.model_validate_json(answer)
        except ValidationError as error:
            raise Undelivered("the API's answer cannot be read") from error

    async def tell_of_death(self) -> None:
        """Told by somebody else: the process of this run is gone. Raise `Undelivered`."""
        status, _ = await self._told(self.address.death_url, "")
        if status not in (200, 204):
            raise Undelivered(f"the API answers {status}", refused=status in _HEARS_NO_MORE)

    async def _told(self, url: str, body: str) -> tuple[int, bytes]:
        headers = {**self.address.headers, "Content-Type": "application/json"}
        try:
            async with self.http.post(url, data=body, headers=headers, timeout=_ANSWERS_WITHIN) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Undelivered(repr(error)) from error


def _briefing(body: bytes) -> Briefing:
    try:
        return Briefing.model_validate_json(body)
    except ValidationError as error:
        raise NoBriefing(f"its answer cannot be read ({error.error_count()} faults)") from error

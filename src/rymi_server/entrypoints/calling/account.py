"""What a caller asks of the API with a key: a call, the call as it happens, and what it left behind."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from rymi_server.entrypoints.ports import url_on_this_machine
from rymi_server.entrypoints.secrets_file import DEMO_KEY, secrets_of
from rymi_server.entrypoints.settings import read_settings
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.proxies import is_reached_directly

_ANSWERS_WITHIN_SECONDS = 30
_COMES_AGAIN_AFTER_SECONDS = 0.5
_NOT_NOW = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


class CannotCall(Unavailable):
    code = "cannot_call"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


@dataclass(frozen=True, slots=True)
class Told:
    """One event of a call's stream."""

    kind: str
    data: dict[str, Any]


def where_to_call(environment: Mapping[str, str] = os.environ) -> tuple[str, str, str]:
    """The API's URL, a key and whose that is: named by RYMI_BASE_URL and RYMI_API_KEY, else of the `rymi up` here."""
    settings = read_settings()
    kept = secrets_of(settings.data_folder).read()
    settings = read_settings(kept)
    url = environment.get("RYMI_BASE_URL") or url_on_this_machine(settings.http_host, settings.http_port)
    named = next((name for name in ("RYMI_API_KEY", DEMO_KEY) if environment.get(name)), None)
    key = environment[named] if named else kept.get(DEMO_KEY)
    if not key:
        raise CannotCall(
            f"No `rymi up` has run on {settings.data_folder}. Start it, or set RYMI_API_KEY and RYMI_BASE_URL."
        )
    return url.rstrip("/"), key, named or str(settings.data_folder)


class Account:
    def __init__(self, http: httpx.AsyncClient, key_of: str) -> None:
        """`http` knows the URL and the key, `key_of` tells where that came from."""
        self._http = http
        self._key_of = key_of

    @classmethod
    def at(cls, url: str, key: str, key_of: str) -> "Account":
        headers = {"Authorization": f"Bearer {key}"}
        http = httpx.AsyncClient(
            base_url=url,
            headers=headers,
            timeout=_ANSWERS_WITHIN_SECONDS,
            # By itself httpx asks a proxy even for this machine.
            trust_env=not is_reached_directly(url),
        )
        return cls(http, key_of)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def agent(self, wanted: str | None) -> dict[str, Any]:
        """By its id or its name; the newest where nobody is named."""
        found: list[dict[str, Any]] = (await self._asked("GET", "/v1/agents")).get("agents", [])
        for agent in found:
            if wanted is None or wanted == agent["id"] or wanted.lower() in agent["name"].lower():
                return agent
        raise CannotCall(f"There is no agent {wanted!r}." if wanted else "This account has no agent yet.")

    async def create_call(self, agent_id: str, participants: list[dict[str, Any]]) -> dict[str, Any]:
        return await self._asked("POST", "/v1/calls", {"agent_id": agent_id, "participants": participants})

    async def call(self, call_id: str) -> dict[str, Any]:
        return await self._asked("GET", f"/v1/calls/{call_id}")

    async def newest_calls(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._asked("GET", f"/v1/calls?limit={count}"))["calls"]
        return found

    async def recording(self, call_id: str) -> dict[str, Any] | None:
        """None while there is none."""
        answer = await self._http.get(f"/v1/calls/{call_id}/recording")
        return answer.json()["recording"] if answer.status_code == httpx.codes.OK else None

    async def end(self, call_id: str) -> None:
        """One that is over stays so."""
        answer = await self._http.post(f"/v1/calls/{call_id}/end")
        if answer.status_code not in (httpx.codes.OK, httpx.codes.CONFLICT):
            raise CannotCall(_why(answer))

    async def stream(self, call_id: str) -> AsyncIterator[Told]:
        """The call as it happens, to its end, whatever interrupts the connection meanwhile."""
        last = None
        while True:
            try:
                async for name, data, place in self._read(call_id, last):
                    last = place or last
                    yield Told(name, data)
                    if name == "end":
                        return
            except httpx.TransportError:
                pass  # It is taken up after the last event that came.
            await asyncio.sleep(_COMES_AGAIN_AFTER_SECONDS)

    async def _read(self, call_id: str, last: str | None) -> AsyncIterator[tuple[str, dict[str, Any], str | None]]:
        headers = {"Last-Event-ID": last} if last else {}
        patience = httpx.Timeout(_ANSWERS_WITHIN_SECONDS)
        async with self._http.stream("GET", f"/v1/calls/{call_id}/stream", headers=headers, timeout=patience) as answer:
            if answer.status_code in _NOT_NOW:
                return
            if answer.status_code != httpx.codes.OK:
                await answer.aread()
                raise CannotCall(_why(answer))
            fields: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name:
                    fields[name] = value
                elif fields:
                    if "data" in fields:
                        yield fields["event"], json.loads(fields["data"]), fields.get("id")
                    fields = {}

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise CannotCall(f"Nobody answers at {self._http.base_url}: is `rymi up` running?") from error
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            whose = f"The key is that of {self._key_of}. Is it another Rymi that answers at {self._http.base_url}?"
            raise CannotCall(f"{_why(answer)} {whose}")
        if answer.is_error:
            raise CannotCall(_why(answer))
        found: dict[str, Any] = answer.json()
        return found


def _why(answer: httpx.Response) -> str:
    try:
        said = answer.json()
        return f"{said['error']} ({said['code']})"
    except (ValueError, KeyError, TypeError):
        return f"{answer.request.url} answers {answer.status_code}."

"""Asks a carrier once, and says plainly what came of it. Nothing is ever sent twice here."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from rymi_server.telephony.carriers.carrier import (
    CarrierThrottled,
    CarrierUnreachable,
    CredentialsRefused,
    OutcomeUnknown,
)

_TOO_MANY = 429
_NOT_FOUND = 404
_UNAUTHORIZED = (401, 403)


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is None where the carrier did not answer with JSON."""

    status: int
    body: Any

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_missing(self) -> bool:
        return self.status == _NOT_FOUND

    def text(self, *names: str) -> str:
        """The first of these fields that holds anything, as text."""
        found = self.body if isinstance(self.body, dict) else {}
        return next((str(found[name]) for name in names if found.get(name)), "")

    def rows(self, *path: str) -> list[dict[str, Any]]:
        """The objects of the list that lies at `path`; none where there is none."""
        found = self.body
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


async def ask(http: httpx.AsyncClient, method: str, url: str, **more: Any) -> Reply:
    """Any answer below 500 but those that every carrier means the same by, which are raised."""
    try:
        response = await http.request(method, url, **more)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise CarrierUnreachable("The carrier cannot be reached.") from error
    except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
        raise OutcomeUnknown(f"The carrier did not answer ({type(error).__name__}).") from error
    reply = Reply(response.status_code, _json(response))
    if reply.status == _TOO_MANY:
        raise CarrierThrottled("The carrier asks to slow down.")
    if reply.status in _UNAUTHORIZED:
        words = reply.text("message", "detail", "error", "error-code-label")
        raise CredentialsRefused(f"The carrier refuses ({reply.status}). {words}".strip())
    if reply.status >= 500 or 300 <= reply.status < 400:
        raise OutcomeUnknown(f"The carrier answered with status {reply.status}.")
    return reply


def new_client() -> httpx.AsyncClient:
    """For all carriers of a process. Redirects are not followed: they would take our secrets elsewhere."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(10.0, connect=5.0, pool=10.0),
        limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "rymi", "Accept": "application/json"},
    )


def part(text: str) -> str:
    """`text` as one part of a path, whatever stands in it."""
    return quote(text, safe="")


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None

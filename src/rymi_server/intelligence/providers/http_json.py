"""One POST of JSON to a provider: bounded in time and size, no redirects, and every way to fail told apart."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from rymi_server.intelligence.language_models import ModelFailed

_LARGEST_ANSWER_BYTES = 4_194_304
_SHOWN = 300
_RETRYABLE = {408, 409, 425, 429, 500, 502, 503, 504, 529}
_LONGEST_WAIT_SECONDS = 60.0


class Turned(ModelFailed):
    """The provider did not like the request itself (400, 422); `complaint` is in its words."""

    def __init__(self, message: str, complaint: str) -> None:
        super().__init__(message, retryable=False)
        self.complaint = complaint


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is, and how long it may take. `client` is shared and closed by whoever made it."""

    client: httpx.AsyncClient
    base_url: str
    key: str
    timeout_seconds: float = 60.0

    async def post(self, who: str, path: str, headers: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        """Raise `ModelFailed`."""
        url = f"{self.base_url.rstrip('/')}{path}"
        try:
            async with asyncio.timeout(self.timeout_seconds):
                status, answer_headers, content = await self._exchange(url, headers, body)
        except TimeoutError as error:
            raise ModelFailed(f"{who} did not answer within {self.timeout_seconds:g} s", retryable=True) from error
        except httpx.HTTPError as error:
            raise ModelFailed(f"{who} cannot be reached: {type(error).__name__}", retryable=True) from error
        except httpx.InvalidURL as error:
            raise ModelFailed(f"{who} has no usable address", retryable=False) from error
        if status != 200:
            raise _failed(who, status, answer_headers, content)
        return _object(who, content)

    async def _exchange(
        self, url: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> tuple[int, httpx.Headers, bytes]:
        request = self.client.stream("POST", url, headers=dict(headers), json=body, follow_redirects=False)
        async with request as response:
            content = bytearray()
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > _LARGEST_ANSWER_BYTES:
                    break
            return response.status_code, response.headers, bytes(content)


def _failed(who: str, status: int, headers: httpx.Headers, content: bytes) -> ModelFailed:
    said = _complaint(content)
    if status in {400, 422}:
        return Turned(f"{who} refused the question: {said}", said)
    if status in {401, 403}:
        return ModelFailed(f"{who} does not accept the key ({status})", retryable=False)
    message = f"{who} answered {status}: {said}"
    return ModelFailed(message, retryable=status in _RETRYABLE, retry_after_seconds=_retry_after(headers))


def _complaint(content: bytes) -> str:
    """What the provider says is wrong; of a page of HTML only that it is one."""
    try:
        answer = json.loads(content)
        said = answer.get("error", answer) if isinstance(answer, dict) else answer
        text = said.get("message") if isinstance(said, dict) else said
        return str(text)[:_SHOWN]
    except (ValueError, RecursionError):
        text = content[:_SHOWN].decode("utf-8", "replace").strip()
        return "no JSON" if not text or text.startswith("<") else text


def _retry_after(headers: httpx.Headers) -> float | None:
    try:
        return min(max(float(headers.get("retry-after", "")), 0.0), _LONGEST_WAIT_SECONDS)
    except ValueError:
        return None


def _object(who: str, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        # A page of a proxy in between, an answer that broke off, or one that was larger than is read.
        raise ModelFailed(f"{who} answered with something that is no JSON", retryable=True) from error
    if not isinstance(answer, dict):
        raise ModelFailed(f"{who} answered with something else than an object", retryable=True)
    return answer

"""Serves what a local storage holds, to whoever has a link that is signed and has not expired. No key is asked for.

A bucket serves its own files: its links never lead here.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from rymi_server.foundation.object_storage.folder import FolderStorage
from rymi_server.foundation.object_storage.links import BadLink, Links
from rymi_server.foundation.object_storage.promises import NoSuchObject

# By what we store, so that a guess at a file's type is never ours.
_TYPES = {"wav": "audio/wav", "ogg": "audio/ogg", "json": "application/json"}
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    # A link is a secret while it lives.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Range, Content-Length, Accept-Ranges",
}


def stored_files(storage: FolderStorage, links: Links) -> APIRouter:
    """`GET /recordings/…?exp=…&sig=…`, whole or the range that is asked for."""
    routes = APIRouter(include_in_schema=False)

    @routes.api_route("/recordings/{name:path}", methods=["GET", "HEAD"])
    async def serve(request: Request, name: str) -> Response:
        query = request.query_params
        key = f"recordings/{name}"
        until = links.check(key, _only(query.getlist("exp")), _only(query.getlist("sig")))
        if await storage.size(key) is None:
            raise NoSuchObject
        seconds = max(0, int((until - links.clock.now()).total_seconds()))
        return _File(
            storage.path_of(key),
            media_type=_TYPES.get(key.rpartition(".")[2], "application/octet-stream"),
            filename=key.rpartition("/")[2],
            content_disposition_type="inline",
            headers={**_ALWAYS, "Cache-Control": f"private, max-age={seconds}"},
        )

    return routes


class _File(FileResponse):
    """A file that is deleted between being looked for and being opened is one that is not there."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: Any) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await super().__call__(scope, receive, sending)
        except (RuntimeError, FileNotFoundError) as error:
            if started:
                raise
            raise NoSuchObject from error


def _only(values: Sequence[str]) -> str:
    """One ASCII value of a sensible length; anything else was not signed by us."""
    if len(values) != 1 or len(values[0]) > 128 or not values[0].isascii():
        raise BadLink
    return values[0]

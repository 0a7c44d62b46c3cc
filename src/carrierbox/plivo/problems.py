"""Plivo's REST errors: an API id and a sentence."""

import uuid

from aiohttp import web


class PlivoProblem(Exception):
    """Turned down by the API."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    def render(self) -> web.Response:
        return answer({"error": str(self)}, self.status)


def unauthenticated() -> web.Response:
    """Plivo's front door answers before its API does, and not in JSON."""
    return web.Response(
        status=401,
        text="Could not verify your access level for that URL. You have to login with proper credentials",
        headers={"WWW-Authenticate": 'Basic realm="Login Required"'},
    )


def not_found() -> PlivoProblem:
    return PlivoProblem(404, "not found")


def answer(body: dict[str, object], status: int = 200) -> web.Response:
    return web.json_response({"api_id": str(uuid.uuid4()), **body}, status=status)

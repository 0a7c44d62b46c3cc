"""Vonage's REST errors: problem objects at the API's host, numbered labels at the older one."""

import uuid

from aiohttp import web

PAGE = "https://developer.vonage.com/api-errors"


class VonageProblem(Exception):
    """Turned down by the API's host."""

    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title

    def render(self) -> web.Response:
        body = {
            "type": f"{PAGE}#{self.title.lower().replace(' ', '-')}",
            "title": self.title,
            "detail": str(self),
            "instance": str(uuid.uuid4()),
        }
        return web.json_response(body, status=self.status)


class LabelledProblem(Exception):
    """Turned down by the older host, which numbers its answers."""

    def __init__(self, status: int, label: str) -> None:
        super().__init__(label)
        self.status = status

    def render(self) -> web.Response:
        body = {"error-code": str(self.status), "error-code-label": str(self)}
        return web.json_response(body, status=self.status)


def unauthorized() -> VonageProblem:
    return VonageProblem(401, "Unauthorized", "You did not provide correct credentials.")


def not_found() -> VonageProblem:
    return VonageProblem(404, "Not Found", "The requested resource does not exist.")


def invalid(name: str, why: str) -> VonageProblem:
    return VonageProblem(400, "Bad Request", f"Invalid parameter {name}: {why}.")

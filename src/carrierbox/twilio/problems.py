"""Twilio's REST errors: a code of its own, a sentence, and a page about it."""

from aiohttp import web


class TwilioProblem(Exception):
    """Turned down by the API."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def render(self) -> web.Response:
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else None
        return web.json_response(body, status=self.status, headers=headers)


def unauthenticated() -> TwilioProblem:
    return TwilioProblem(401, 20003, "Authenticate")


def not_found(path: str) -> TwilioProblem:
    return TwilioProblem(404, 20404, f"The requested resource {path} was not found")


def bad_parameter(name: str, why: str, code: int = 20001) -> TwilioProblem:
    return TwilioProblem(400, code, f"Invalid '{name}': {why}")

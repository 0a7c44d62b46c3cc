"""Twirp over HTTP: protobuf or JSON in and out, errors as JSON with Twirp's codes."""

import logging
from collections.abc import Mapping

from aiohttp import web
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from roomlet.errors import Malformed, Refused, UnknownRoute
from roomlet.room_calls import Method
from roomlet.tokens import Keyring

log = logging.getLogger(__name__)
JSON, PROTOBUF = "application/json", "application/protobuf"


class Twirp:
    def __init__(self, methods: Mapping[tuple[str, str], Method], keyring: Keyring) -> None:
        self._methods, self._keyring = methods, keyring

    async def answer(self, request: web.Request) -> web.Response:
        try:
            return await self._call(request)
        except Refused as refusal:
            return failure(refusal.code, refusal.message, refusal.status, refusal.meta)
        except web.HTTPRequestEntityTooLarge:
            return failure("malformed", "the request is too large", 413)
        except Exception:
            log.exception("an API call broke")
            return failure("internal", "internal error", 500)

    async def _call(self, request: web.Request) -> web.Response:
        header = request.headers.get("Authorization", "")
        claims = self._keyring.read(header[7:] if header.startswith("Bearer ") else "")
        method = self._methods.get((request.match_info["service"], request.match_info["method"]))
        if method is None:
            raise UnknownRoute(f"no handler for path {request.path!r}: this server has no such service or method")
        is_json = request.content_type == JSON
        if not is_json and request.content_type != PROTOBUF:
            raise UnknownRoute(f"unexpected Content-Type: {request.content_type!r}")
        result = await method.act(claims, parse(method.request, await request.read(), is_json))
        if is_json:
            return web.json_response(json_format.MessageToDict(result, preserving_proto_field_name=True))
        return web.Response(body=result.SerializeToString(), content_type=PROTOBUF)


def parse(kind: type[Message], body: bytes, is_json: bool) -> Message:
    """Raises `Malformed`."""
    message = kind()
    try:
        if is_json:
            json_format.Parse(body or b"{}", message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(f"the request cannot be read: {error}") from None
    return message


def failure(code: str, message: str, status: int, meta: Mapping[str, str] | None = None) -> web.Response:
    body: dict[str, object] = {"code": code, "msg": message}
    if meta:
        body["meta"] = dict(meta)
    return web.json_response(body, status=status)

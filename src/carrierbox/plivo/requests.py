"""What every Plivo request has: the account that asks, a JSON body, and pages of twenty."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web

from carrierbox.accounts import Account
from carrierbox.plivo.orders import Body, read_whole
from carrierbox.plivo.problems import PlivoProblem, answer

ACCOUNT = web.RequestKey("account", Account)
LARGEST_PAGE = 20

Item = TypeVar("Item")


def account_of(request: web.Request) -> Account:
    return request[ACCOUNT]


async def read_body(request: web.Request) -> Body:
    """Plivo takes only JSON."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise PlivoProblem(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise PlivoProblem(400, "the body is not a JSON object")
    return body


def page_of(request: web.Request, items: Sequence[Item], render: Callable[[Item], object]) -> web.Response:
    limit = read_whole(request.query, "limit", LARGEST_PAGE, 1, LARGEST_PAGE)
    offset = read_whole(request.query, "offset", 0, 0, 10_000_000)
    path = request.path.removeprefix("/plivo")

    def address(start: int) -> str | None:
        if not 0 <= start < max(1, len(items)):
            return None
        return f"{path}?{urlencode(dict(request.query) | {'limit': str(limit), 'offset': str(start)})}"

    meta = {
        "limit": limit,
        "offset": offset,
        "next": address(offset + limit),
        "previous": address(offset - limit) if offset else None,
        "total_count": len(items),
    }
    return answer({"meta": meta, "objects": [render(item) for item in items[offset : offset + limit]]})

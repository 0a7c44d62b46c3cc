"""The `Idempotency-Key` header: a request that is sent again is answered again and does nothing.

The answer is stored in the transaction of the work, so either both exist or neither. Answers carry keys and tokens;
they are sealed.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from fastapi.responses import JSONResponse

from rymi_server.foundation.database import Transaction, metadata
from rymi_server.foundation.errors import Invalid, Refused
from rymi_server.http.edge import Asking

KEPT_FOR = timedelta(hours=24)
_LONGEST_KEY = 255
_HEADER = "idempotency-key"
_TURN = sa.text("select pg_try_advisory_xact_lock(hashtextextended('idempotency:' || :tenant || ':' || :key, 0))")

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("tenant_id", sa.Uuid(as_uuid=False), sa.ForeignKey("tenants.id"), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
)


class IdempotencyMismatch(Refused):
    status, code = 422, "idempotency_mismatch"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request.")


class IdempotencyInProgress(Refused):
    status, code = 409, "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__("The first request with this Idempotency-Key is still being answered. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: dict[str, Any]


Work = Callable[[Transaction], Awaitable[Answer]]


async def once(asking: Asking, work: Work, *, in_one_statement: bool = False) -> JSONResponse:
    """Do `work` in a transaction and answer with its result, or with the result of having done it before.

    `in_one_statement` promises that one statement writes all: it is the transaction where no answer is kept with it.
    """
    key = asking.request.headers.get(_HEADER)
    database = asking.edge.database
    async with database.single_statements() if in_one_statement and key is None else database.transaction() as tx:
        if key is None:
            answer, replayed = await work(tx), False
        else:
            answer, replayed = await _once(tx, asking, _checked(key), work)
    headers = {"Idempotency-Replayed": "true"} if replayed else None
    return JSONResponse(answer.body, status_code=answer.status, headers=headers)


async def _once(tx: Transaction, asking: Asking, key: str, work: Work) -> tuple[Answer, bool]:
    tenant_id = asking.caller.tenant.id
    if not (await tx.execute(_TURN, {"tenant": tenant_id, "key": key})).scalar_one():
        raise IdempotencyInProgress
    request = await _fingerprint(asking)
    known = sa.select(idempotency_keys).where(idempotency_keys.c.tenant_id == tenant_id, idempotency_keys.c.key == key)
    before = (await tx.execute(known)).one_or_none()
    if before is not None:
        if before.request != request:
            raise IdempotencyMismatch
        body = asking.edge.seal.open(before.answer, owner=tenant_id, purpose="answer")
        return Answer(before.status, json.loads(body)), True
    answer = await work(tx)
    sealed = asking.edge.seal.close(json.dumps(answer.body), owner=tenant_id, purpose="answer")
    await tx.execute(
        idempotency_keys.insert().values(
            tenant_id=tenant_id,
            key=key,
            request=request,
            status=answer.status,
            answer=sealed,
            created_at=asking.edge.clock.now(),
        )
    )
    return answer, False


async def forget_old_answers(tx: Transaction, now: datetime) -> None:
    await tx.execute(idempotency_keys.delete().where(idempotency_keys.c.created_at < now - KEPT_FOR))


async def _fingerprint(asking: Asking) -> bytes:
    """The same for the same request, however its JSON is laid out."""
    raw = await asking.request.body()
    body = json.dumps(await asking.request.json(), sort_keys=True) if raw else ""
    # Another kind of key may be refused what the first one got, so it is not answered from its result.
    words = (asking.request.method, asking.request.url.path, asking.caller.key.id, body)
    return hashlib.sha256("\0".join(words).encode()).digest()


def _checked(key: str) -> str:
    if not key or len(key) > _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Invalid(
            f"An Idempotency-Key has 1 to {_LONGEST_KEY} printable ASCII characters.", where="Idempotency-Key"
        )
    return key

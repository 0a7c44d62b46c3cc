"""`/v1/auth`: who the key that asks belongs to, and the account's secret keys."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.call_views.shapes import instant
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import KeyId
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import Asking, AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import key_examples as examples
from rymi_server.http.v1.fields import WindowDep
from rymi_server.http.v1.key_bodies import (
    LABEL_UNLESS_SAID,
    CreatedKeyBody,
    KeyListBody,
    MeBody,
    NewKeyBody,
    RevokedKeyBody,
    RotatedKeyBody,
    RotationBody,
)
from rymi_server.keys import store
from rymi_server.keys.errors import KeyAlreadyReplaced, LastKey, UnknownKey
from rymi_server.keys.models import SecretKey, digest, new_secret_key, shown_prefix
from rymi_server.telephony.connection_store import active_of

routes = APIRouter(prefix="/v1/auth", tags=["Keys"], route_class=SecretKeyRoute)


@routes.get(
    "/me",
    operation_id="getMe",
    summary="The account of this key",
    responses={**success(200, MeBody, "The account.", examples.ME), **refusals(*WITH_SECRET_KEY)},
)
async def get_me(asking: AskingDep) -> JSONResponse:
    caller = asking.caller
    async with asking.edge.database.transaction() as tx:
        connection = await active_of(tx, caller.tenant.id)
    plivo = connection if connection and connection.provider == "plivo" else None
    carrier = {
        "telephony_provider": connection.provider if connection else None,
        "plivo_connected": plivo is not None,
        "plivo_account_name": plivo.account_name if plivo else None,
        "plivo_account_country": plivo.account_country if plivo else None,
    }
    return JSONResponse({"id": caller.tenant.id, "api_key_prefix": caller.key.prefix, **carrier})


@routes.get(
    "/api-keys",
    operation_id="listApiKeys",
    summary="List secret keys",
    responses={
        **success(200, KeyListBody, "Those that work, newest first.", examples.KEY_LIST),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def list_keys(asking: AskingDep, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await store.secret_page(tx, asking.caller.tenant.id, asking.edge.clock.now(), window)
    return JSONResponse(found.as_json("keys", [_shown(key) for key in found.rows], window))


@routes.post(
    "/api-keys",
    operation_id="createApiKey",
    summary="Create a secret key",
    status_code=201,
    responses={
        **success(201, CreatedKeyBody, "The key, shown this once.", examples.CREATED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE),
    },
)
async def create_key(asking: AskingDep, body: NewKeyBody | None = None) -> JSONResponse:
    label = (body.label if body else None) or LABEL_UNLESS_SAID

    async def create(tx: Transaction) -> Answer:
        return Answer(201, await _new(tx, asking, label))

    return await once(asking, create)


@routes.post(
    "/api-keys/{key_id}/rotate",
    operation_id="rotateApiKey",
    summary="Replace a secret key",
    description="The replaced key stops working at once, or after `grace_seconds`.",
    status_code=201,
    responses={
        **success(201, RotatedKeyBody, "The new key, shown this once.", examples.ROTATED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownKey, KeyAlreadyReplaced),
    },
)
async def rotate_key(asking: AskingDep, key_id: str, body: RotationBody | None = None) -> JSONResponse:
    grace = timedelta(seconds=body.grace_seconds if body else 0)

    async def rotate(tx: Transaction) -> Answer:
        now = asking.edge.clock.now()
        old = await store.retire_secret(tx, asking.caller.tenant.id, KeyId(key_id), now + grace, now)
        replaced = {"id": old.id, "revoked_at": instant(now + grace)}
        return Answer(201, {**await _new(tx, asking, old.label), "replaced": replaced})

    return await once(asking, rotate)


@routes.delete(
    "/api-keys/{key_id}",
    operation_id="revokeApiKey",
    summary="Revoke a secret key",
    responses={
        **success(200, RevokedKeyBody, "The key is refused from now on.", examples.REVOKED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownKey, LastKey),
    },
)
async def revoke_key(asking: AskingDep, key_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        key = await store.revoke_secret(tx, asking.caller.tenant.id, KeyId(key_id), asking.edge.clock.now())
    return JSONResponse({"status": "revoked", "id": key.id})


async def _new(tx: Transaction, asking: Asking, label: str) -> dict[str, Any]:
    """A further key of the account, with the plaintext that nobody sees again."""
    plaintext = new_secret_key()
    known_by, prefix = digest(plaintext, asking.edge.pepper), shown_prefix(plaintext)
    key = await store.add_secret(tx, asking.caller.tenant.id, known_by, prefix, label, asking.edge.clock.now())
    return {**_shown(key), "api_key": plaintext, "key": plaintext}


def _shown(key: SecretKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "key_prefix": key.prefix,
        "label": key.label,
        "last_used_at": instant(key.last_used_at),
        "created_at": instant(key.created_at),
        "revoked_at": instant(key.revoked_at),
    }

"""`/v1/keys/publishable`: keys that a web page may carry."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.agents import store as agents
from rymi_server.agents.errors import UnknownAgent
from rymi_server.call_views.shapes import instant
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import KeyId
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import key_examples as examples
from rymi_server.http.v1.fields import WindowDep
from rymi_server.http.v1.key_bodies import (
    CreatedPublishableKeyBody,
    NewPublishableKeyBody,
    PublishableKeyListBody,
    RevokedPublishableKeyBody,
)
from rymi_server.keys import store
from rymi_server.keys.errors import UnknownKey
from rymi_server.keys.models import Audience, Channel, PublishableKey, digest, new_publishable_key, shown_prefix

routes = APIRouter(prefix="/v1/keys/publishable", tags=["Keys"], route_class=SecretKeyRoute)


@routes.get(
    "",
    operation_id="listPublishableKeys",
    summary="List publishable keys",
    responses={
        **success(200, PublishableKeyListBody, "Those that work, newest first.", examples.PUBLISHABLE_LIST),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def list_keys(asking: AskingDep, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await store.publishable_page(tx, asking.caller.tenant.id, window)
    return JSONResponse(found.as_json("keys", [_shown(key) for key in found.rows], window))


@routes.post(
    "",
    operation_id="createPublishableKey",
    summary="Create a publishable key",
    description="It may create calls to this agent over the channels it allows, and nothing else.",
    status_code=201,
    responses={
        **success(201, CreatedPublishableKeyBody, "The key, shown this once.", examples.CREATED_PUBLISHABLE),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownAgent),
    },
)
async def create_key(asking: AskingDep, body: NewPublishableKeyBody) -> JSONResponse:
    channels = frozenset(Channel(channel) for channel in body.allowed_channels or ["web"])
    audience = Audience(body.audience or Audience.SDK)

    async def create(tx: Transaction) -> Answer:
        agent = await agents.get(tx, asking.caller.tenant.id, body.agent_id)
        plaintext, now = new_publishable_key(), asking.edge.clock.now()
        key = await store.add_publishable(
            tx,
            agent.tenant_id,
            agent.id,
            digest=digest(plaintext, asking.edge.pepper),
            prefix=shown_prefix(plaintext),
            label=body.label,
            allowed_channels=channels,
            audience=audience,
            default_from_number=body.default_from_number,
            now=now,
        )
        shown = {name: value for name, value in _shown(key).items() if name != "last_used_at"}
        return Answer(201, {**shown, "key": plaintext})

    return await once(asking, create)


@routes.delete(
    "/{key_id}",
    operation_id="revokePublishableKey",
    summary="Revoke a publishable key",
    responses={
        **success(200, RevokedPublishableKeyBody, "The key is refused from now on.", examples.REVOKED_PUBLISHABLE),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownKey),
    },
)
async def revoke_key(asking: AskingDep, key_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await store.revoke_publishable(tx, asking.caller.tenant.id, KeyId(key_id), asking.edge.clock.now())
    return JSONResponse({"success": True})


def _shown(key: PublishableKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "key_prefix": key.prefix,
        "agent_id": key.agent_id,
        "label": key.label,
        "allowed_channels": [channel for channel in Channel if channel in key.allowed_channels],
        "audience": key.audience,
        "default_from_number": key.default_from_number,
        "last_used_at": instant(key.last_used_at),
        "created_at": instant(key.created_at),
    }

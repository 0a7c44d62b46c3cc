"""`/v1/webhooks`: where an account is told what happens."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.call_views.shapes import instant
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.sealed import new_secret
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import Asking, AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import webhook_examples as examples
from rymi_server.http.v1.fields import WindowDep
from rymi_server.http.v1.webhook_bodies import (
    ChangedWebhookBody,
    DeletedWebhookBody,
    NewWebhookBody,
    RegisteredWebhookBody,
    UpdatedWebhookBody,
    WebhookListBody,
)
from rymi_server.webhooks import store
from rymi_server.webhooks.errors import TooManyWebhooks, UnknownWebhook, UnsafeTarget
from rymi_server.webhooks.models import SECRET_PURPOSE, Endpoint
from rymi_server.webhooks.targets import refuse_unsafe

routes = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"], route_class=SecretKeyRoute)

# Each event of an account goes to all of them.
MOST_WEBHOOKS = 25
_WHERE_TO = "The URL is public https, without credentials. Where its name leads is looked at with each delivery."


@routes.get(
    "",
    operation_id="listWebhooks",
    summary="List webhooks",
    responses={
        **success(200, WebhookListBody, "Newest first.", examples.WEBHOOK_LIST),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def list_webhooks(asking: AskingDep, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await store.page(tx, asking.caller.tenant.id, window)
    return JSONResponse(found.as_json("webhooks", [_shown(endpoint) for endpoint in found.rows], window))


@routes.post(
    "",
    operation_id="createWebhook",
    summary="Register a webhook",
    description=_WHERE_TO,
    status_code=201,
    responses={
        **success(201, RegisteredWebhookBody, "Events are sent there from now on.", examples.REGISTERED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnsafeTarget, TooManyWebhooks),
    },
)
async def create_webhook(asking: AskingDep, body: NewWebhookBody) -> JSONResponse:
    refuse_unsafe(body.url, allow_private=asking.edge.allow_private_webhooks)

    async def register(tx: Transaction) -> Answer:
        await store.refuse_too_many(tx, asking.caller.tenant.id, MOST_WEBHOOKS)
        secret = body.secret or new_secret()
        endpoint = await store.add(
            tx,
            asking.caller.tenant.id,
            body.url,
            body.events,
            _sealed(asking, secret),
            body.alert_email,
            asking.edge.clock.now(),
        )
        made_here = {} if body.secret else {"secret": secret}
        return Answer(201, {"status": "registered", **_shown(endpoint), **made_here})

    return await once(asking, register)


@routes.patch(
    "/{webhook_id}",
    operation_id="updateWebhook",
    summary="Change a webhook",
    description=f"Only the fields that are sent change; a new secret signs from now on. {_WHERE_TO}",
    responses={
        **success(200, UpdatedWebhookBody, "The next delivery has the change.", examples.UPDATED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnsafeTarget, UnknownWebhook),
    },
)
async def update_webhook(asking: AskingDep, webhook_id: str, body: ChangedWebhookBody) -> JSONResponse:
    values = body.model_dump(exclude_unset=True)
    if "url" in values:
        refuse_unsafe(body.url, allow_private=asking.edge.allow_private_webhooks)
    if "secret" in values:
        values["sealed_secret"] = _sealed(asking, values.pop("secret"))
    async with asking.edge.database.transaction() as tx:
        endpoint = await store.change(tx, asking.caller.tenant.id, webhook_id, values)
    return JSONResponse({"status": "updated", "id": endpoint.id})


@routes.delete(
    "/{webhook_id}",
    operation_id="deleteWebhook",
    summary="Delete a webhook",
    responses={
        **success(200, DeletedWebhookBody, "Nothing more is sent there.", examples.DELETED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, UnknownWebhook),
    },
)
async def delete_webhook(asking: AskingDep, webhook_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        await store.remove(tx, asking.caller.tenant.id, webhook_id)
    return JSONResponse({"status": "deleted", "id": webhook_id})


def _sealed(asking: Asking, secret: str) -> bytes:
    return asking.edge.seal.close(secret, owner=asking.caller.tenant.id, purpose=SECRET_PURPOSE)


def _shown(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "events": list(endpoint.events),
        "alert_email": endpoint.alert_email,
        "created_at": instant(endpoint.created_at),
    }

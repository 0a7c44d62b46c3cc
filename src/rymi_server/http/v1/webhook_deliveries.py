"""`/v1/webhooks/…`: what was sent where, how it was answered, and sending it again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from rymi_server.call_views.shapes import instant
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import new_prefixed
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import webhook_examples as examples
from rymi_server.http.v1.fields import WindowDep
from rymi_server.http.v1.webhook_bodies import DeliveryBody, DeliveryListBody, QueuedDeliveryBody
from rymi_server.webhooks import deliveries, store
from rymi_server.webhooks.errors import DeliveryNotFinished, UnknownDelivery, UnknownWebhook
from rymi_server.webhooks.models import Attempt, Delivery, DeliveryStatus, News
from rymi_server.webhooks.telling import deliver_soon, tell_one

routes = APIRouter(prefix="/v1/webhooks", tags=["Webhooks"], route_class=SecretKeyRoute)

PING = "ping"
Status = Annotated[DeliveryStatus | None, Query(description="Only deliveries in this status.")]


@routes.get(
    "/{webhook_id}/deliveries",
    operation_id="listWebhookDeliveries",
    summary="What was sent to a webhook",
    description="Deliveries are kept for thirty days.",
    responses={
        **success(200, DeliveryListBody, "Newest first, without bodies and replies.", examples.DELIVERY_LIST),
        **refusals(*WITH_SECRET_KEY, UnknownWebhook),
    },
)
async def list_deliveries(asking: AskingDep, webhook_id: str, window: WindowDep, status: Status = None) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        endpoint = await store.get(tx, asking.caller.tenant.id, webhook_id)
        found = await deliveries.page(tx, endpoint.id, window, status)
    return JSONResponse(found.as_json("deliveries", [_shown(delivery) for delivery in found.rows], window))


@routes.get(
    "/deliveries/{delivery_id}",
    operation_id="getWebhookDelivery",
    summary="One delivery, with its body and every attempt",
    responses={
        **success(200, DeliveryBody, "As it was sent, and what came back.", examples.DELIVERY),
        **refusals(*WITH_SECRET_KEY, UnknownDelivery),
    },
)
async def get_delivery(asking: AskingDep, delivery_id: str) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        delivery = await deliveries.get(tx, asking.caller.tenant.id, delivery_id)
        attempts = await deliveries.attempts_of(tx, delivery.id)
    whole = {"body": delivery.body, "log": [_attempt(attempt) for attempt in attempts]}
    return JSONResponse({**_shown(delivery), **whole})


@routes.post(
    "/deliveries/{delivery_id}/redeliver",
    operation_id="redeliverWebhook",
    summary="Send something again",
    description="The same body under the same event id, signed anew.",
    status_code=202,
    responses={
        **success(202, QueuedDeliveryBody, "It is sent again.", examples.QUEUED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownDelivery, DeliveryNotFinished),
    },
)
async def redeliver(asking: AskingDep, delivery_id: str) -> JSONResponse:
    async def again(tx: Transaction) -> Answer:
        tenant_id = asking.caller.tenant.id
        delivery = await deliveries.send_again(tx, tenant_id, delivery_id, asking.edge.clock.now())
        await deliver_soon(tx, [await store.get(tx, tenant_id, delivery.endpoint_id)])
        return Answer(202, {"status": "queued", "delivery_id": delivery.id})

    return await once(asking, again)


@routes.post(
    "/{webhook_id}/test",
    operation_id="testWebhook",
    summary="Send a ping",
    description="An event of the type `ping`, signed like any other. Its delivery says how it was answered.",
    status_code=202,
    responses={
        **success(202, QueuedDeliveryBody, "A ping is sent.", examples.QUEUED),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY, *ONCE, UnknownWebhook),
    },
)
async def test_webhook(asking: AskingDep, webhook_id: str) -> JSONResponse:
    async def ping(tx: Transaction) -> Answer:
        endpoint, now = await store.get(tx, asking.caller.tenant.id, webhook_id), asking.edge.clock.now()
        number = new_prefixed("evt")
        delivery_id = await tell_one(tx, endpoint, News(PING, number, number, now, {"webhook_id": endpoint.id}), now)
        return Answer(202, {"status": "queued", "delivery_id": delivery_id})

    return await once(asking, ping)


def _shown(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "event": delivery.event,
        "subject": delivery.subject,
        "status": delivery.status,
        "reason": delivery.reason,
        "attempts": delivery.attempts,
        "next_attempt_at": instant(delivery.next_attempt_at),
        "created_at": instant(delivery.created_at),
        "finished_at": instant(delivery.finished_at),
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "begun_at": instant(attempt.begun_at),
        "took_ms": attempt.took_ms,
        "status_code": attempt.status_code,
        "reply": attempt.reply,
        "error": attempt.error,
    }

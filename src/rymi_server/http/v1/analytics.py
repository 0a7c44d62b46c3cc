"""`/v1/analytics`: what calls came to."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator

from rymi_server.agents.errors import UnknownAgent
from rymi_server.agents.store import refuse_never_known
from rymi_server.call_views.spend import Span, spend
from rymi_server.calls.models import CallStatus
from rymi_server.foundation.errors import Invalid
from rymi_server.http.documentation import WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import billing_examples as examples
from rymi_server.http.v1.billing_bodies import SpendBody
from rymi_server.http.v1.fields import Uuid

routes = APIRouter(prefix="/v1/analytics", tags=["Analytics"], route_class=SecretKeyRoute)

_DAYS_UNLESS_SAID = 30
_MOST_DAYS = 366
_EARLIEST, _LATEST = date(2000, 1, 1), date(2999, 12, 31)


def _day(text: Any) -> date:
    """Only the one spelling that is documented, and only days that an id can have been made on."""
    try:
        day = date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise ValueError("a day is written as 2026-03-01") from error
    if day.isoformat() != text or not _EARLIEST <= day <= _LATEST:
        raise ValueError(f"a day is written as 2026-03-01, from {_EARLIEST} to {_LATEST}")
    return day


Day = Annotated[date, BeforeValidator(_day)]


@routes.get(
    "/spend",
    operation_id="getSpend",
    summary="Calls, minutes and cost in a span of days",
    responses={
        **success(200, SpendBody, "All of it counts the calls that were created in the span.", examples.SPEND),
        **refusals(*WITH_SECRET_KEY, UnknownAgent),
    },
)
async def get_spend(
    asking: AskingDep,
    first: Annotated[Day | None, Query(alias="from", description="First day, in UTC. 30 days to `to` else.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Last day, in UTC. Today else.")] = None,
    agent_id: Annotated[Uuid | None, Query(description="Only calls of this agent.")] = None,
    status: Annotated[CallStatus | None, Query(description="Only calls in this status.")] = None,
) -> JSONResponse:
    span = _span(first, last, asking.edge.clock.now().date())
    tenant_id = asking.caller.tenant.id
    async with asking.edge.database.transaction() as tx:
        if agent_id is not None:
            await refuse_never_known(tx, tenant_id, agent_id)
        return JSONResponse(await spend(tx, tenant_id, span, agent_id, status))


def _span(first: date | None, last: date | None, today: date) -> Span:
    last = last or today
    first = first or last - timedelta(days=_DAYS_UNLESS_SAID - 1)
    if first > last:
        raise Invalid("The first day comes after the last.", where="from")
    if (last - first).days >= _MOST_DAYS:
        raise Invalid(f"At most {_MOST_DAYS} days can be asked for at once.", where="from")
    return Span(first, last)

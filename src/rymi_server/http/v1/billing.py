"""`/v1/billing`: prices, the balance, and what it was spent on."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rymi_server.agents.store import roles_in_use
from rymi_server.call_views.shapes import amount, instant
from rymi_server.call_views.usage import RecentUse, recent_use
from rymi_server.credits import ledger, warning
from rymi_server.credits.models import Entry
from rymi_server.credits.rates import CHEAPEST_ROLE, bill
from rymi_server.credits.standing import runway_days, seconds_left, tone
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.money import dollars
from rymi_server.http.documentation import WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import Asking, AskingDep
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1 import billing_examples as examples
from rymi_server.http.v1.billing_bodies import (
    AlertsBody,
    BalanceBody,
    EstimateBody,
    EstimatedBody,
    OkBody,
    RolesBody,
    TransactionListBody,
    UsageSummaryBody,
)
from rymi_server.http.v1.fields import WindowDep

routes = APIRouter(prefix="/v1/billing", tags=["Billing"], route_class=SecretKeyRoute)

_MEAN_OVER_DAYS = 7


@routes.get(
    "/agent-roles",
    operation_id="listAgentRoles",
    summary="Prices by agent role",
    responses={**success(200, RolesBody, "The price list.", examples.ROLES), **refusals(*WITH_SECRET_KEY)},
)
async def agent_roles(asking: AskingDep) -> JSONResponse:
    roles = {
        name: {
            "rate_per_minute": amount(rate.per_minute),
            "rate_per_second": amount(rate.per_second),
            "display_name": rate.display_name,
        }
        for name, rate in asking.edge.rates.roles.items()
    }
    return JSONResponse({"roles": roles})


@routes.get(
    "/balance",
    operation_id="getBalance",
    summary="The balance, and how long it lasts",
    responses={**success(200, BalanceBody, "The balance.", examples.BALANCE), **refusals(*WITH_SECRET_KEY)},
)
async def balance(asking: AskingDep) -> JSONResponse:
    tenant_id, now = asking.caller.tenant.id, asking.edge.clock.now()
    async with asking.edge.database.transaction() as tx:
        money = (await ledger.account_of(tx, tenant_id)).balance
        use = await recent_use(tx, tenant_id, now)
        roles = await roles_in_use(tx, tenant_id)
        daily = await _daily_spend(tx, asking, use, now)
    return JSONResponse(
        {
            "tenant_id": tenant_id,
            **_worth(asking, money),
            "tenant_state": _state(roles, use),
            "primary_role": use.primary_role,
            "agent_roles_in_use": roles,
            "recent_daily_spend_usd": amount(daily),
            "runway_days_estimate": amount(runway_days(money, daily)),
        }
    )


@routes.get(
    "/usage-summary",
    operation_id="getUsageSummary",
    summary="What is left and what was used",
    responses={
        **success(200, UsageSummaryBody, "In minutes and in calls.", examples.USAGE_SUMMARY),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def usage_summary(asking: AskingDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        money = (await ledger.account_of(tx, asking.caller.tenant.id)).balance
        use = await recent_use(tx, asking.caller.tenant.id, asking.edge.clock.now())
    worth = _worth(asking, money)
    return JSONResponse(
        {
            "voice_runtime": {"remaining_minutes": worth["estimated_minutes_remaining"], "status": worth["tone"]},
            "post_call_intelligence": {"status": "included", "used_units": use.analysed_calls},
        }
    )


@routes.post(
    "/estimate",
    operation_id="estimateCost",
    summary="What a call would cost",
    description="A role without a price of its own costs what `operator` does.",
    responses={
        **success(200, EstimatedBody, "Nothing was charged.", examples.ESTIMATE),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY),
    },
)
async def estimate(asking: AskingDep, body: EstimateBody) -> JSONResponse:
    role = body.agent_role or body.tier or CHEAPEST_ROLE
    rate = asking.edge.rates.of(role).per_minute
    seconds, cost = bill(body.duration_seconds, rate)
    return JSONResponse(
        {
            "agent_role": role,
            "duration_seconds": body.duration_seconds,
            "bill_seconds": seconds,
            "rate_per_minute": amount(rate),
            "cost_usd": amount(cost),
        }
    )


@routes.get(
    "/transactions",
    operation_id="listTransactions",
    summary="Every movement of credit",
    responses={
        **success(200, TransactionListBody, "Newest first.", examples.TRANSACTION_LIST),
        **refusals(*WITH_SECRET_KEY),
    },
)
async def transactions(asking: AskingDep, window: WindowDep) -> JSONResponse:
    async with asking.edge.database.transaction() as tx:
        found = await ledger.page(tx, asking.caller.tenant.id, window)
    return JSONResponse(found.as_json("transactions", [_moved(entry) for entry in found.rows], window))


@routes.put(
    "/alerts",
    operation_id="changeBillingAlerts",
    summary="Below which balance to be told",
    responses={
        **success(200, OkBody, "Holds from the next movement of credit on.", examples.OK),
        **refusals(*WITH_SECRET_KEY, *WITH_BODY),
    },
)
async def change_alerts(asking: AskingDep, body: AlertsBody) -> JSONResponse:
    sent = body.model_fields_set
    values: dict[str, Any] = {}
    if "thresholds_usd" in sent:
        exact = body.thresholds_usd
        values["alert_thresholds"] = None if exact is None else sorted({Decimal(str(each)) for each in exact})
    if "low_balance_pct" in sent:
        exact_pct = body.low_balance_pct
        values["low_balance_pct"] = None if exact_pct is None else Decimal(str(exact_pct))
    async with asking.edge.database.transaction() as tx:
        await warning.change_alerts(tx, asking.caller.tenant.id, values)
    return JSONResponse({"ok": True})


def _worth(asking: Asking, money: Decimal) -> dict[str, Any]:
    rates = asking.edge.rates
    rate = rates.of(CHEAPEST_ROLE).per_minute
    seconds = seconds_left(money, rate)
    minutes = seconds // 60 if seconds is not None else None
    return {
        "balance_seconds": seconds,
        "balance_usd": amount(money),
        "estimated_minutes_remaining": minutes,
        "topup_minutes_remaining": minutes,
        "roles": {name: amount(role.per_minute) for name, role in rates.roles.items()},
        "is_active": money > 0,
        "tone": tone(money, rate),
    }


def _state(roles: list[str], use: RecentUse) -> str:
    if use.first_call_at is not None:
        return "has_calls"
    return "agents_no_calls" if roles else "no_agents"


async def _daily_spend(tx: Transaction, asking: Asking, use: RecentUse, now: datetime) -> Decimal | None:
    """None as long as a mean over so many days would count days before the account's first call."""
    since = now - timedelta(days=_MEAN_OVER_DAYS)
    if use.first_call_at is None or use.first_call_at > since:
        return None
    return dollars(await ledger.charged_since(tx, asking.caller.tenant.id, since) / _MEAN_OVER_DAYS)


def _moved(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "amount_usd": amount(entry.amount),
        "balance_after_usd": amount(entry.balance_after),
        "call_id": entry.call_id,
        "reference": entry.reference,
        "note": entry.note,
        "created_at": instant(entry.created_at),
    }

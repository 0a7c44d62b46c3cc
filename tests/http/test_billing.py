"""`/v1/billing`."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.asking import CLOCK, Customer, client_for, new_customer
from tests.support.past_calls import past_call

from rymi_server.credits import ledger
from rymi_server.credits.models import credit_accounts
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, new_uuid

LONG_AGO = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def settle(database: Database, customer: Customer, cost: str, at: datetime) -> CallId:
    call_id = CallId(new_uuid())
    async with database.transaction() as tx:
        await ledger.settle(tx, customer.tenant.id, call_id, Decimal(cost), at)
    return call_id


class TestAgentRoles:
    async def test_is_the_price_list(self, acme: Customer) -> None:
        answer = await acme.get("/v1/billing/agent-roles")
        assert answer.status_code == 200
        assert answer.json()["roles"] == {
            "operator": {"rate_per_minute": 0.05, "rate_per_second": 0.00083333, "display_name": "Operator"},
            "specialist": {"rate_per_minute": 0.1, "rate_per_second": 0.00166667, "display_name": "Specialist"},
            "executive": {"rate_per_minute": 0.25, "rate_per_second": 0.00416667, "display_name": "Executive"},
        }


class TestBalance:
    async def test_says_how_long_the_money_lasts(self, database: Database, acme: Customer) -> None:
        customer = await new_customer(database, acme.http, credit="15")
        answer = await customer.get("/v1/billing/balance")
        assert answer.status_code == 200
        assert answer.json() == {
            "tenant_id": customer.tenant.id,
            "balance_seconds": 18_000,
            "balance_usd": 15.0,
            "estimated_minutes_remaining": 300,
            "topup_minutes_remaining": 300,
            "roles": {"operator": 0.05, "specialist": 0.1, "executive": 0.25},
            "is_active": True,
            "tone": "ok",
            "tenant_state": "no_agents",
            "primary_role": None,
            "agent_roles_in_use": [],
            "recent_daily_spend_usd": None,
            "runway_days_estimate": None,
        }

    async def test_follows_the_agents_and_their_calls(self, database: Database, acme: Customer) -> None:
        operator, executive = await acme.new_agent(), await acme.new_agent(agent_role="executive")
        before = (await acme.get("/v1/billing/balance")).json()
        assert (before["tenant_state"], before["primary_role"]) == ("agents_no_calls", None)
        assert before["agent_roles_in_use"] == ["executive", "operator"]
        now = CLOCK.now()
        await past_call(database, acme, executive, now)
        even = await past_call(database, acme, operator, now - timedelta(seconds=1))
        assert even
        half = (await acme.get("/v1/billing/balance")).json()
        assert (half["tenant_state"], half["primary_role"]) == ("has_calls", None)
        await past_call(database, acme, executive, now - timedelta(seconds=2))
        assert (await acme.get("/v1/billing/balance")).json()["primary_role"] == "executive"

    async def test_estimates_the_runway_once_there_is_a_week_to_look_at(
        self, database: Database, acme: Customer
    ) -> None:
        agent, now = await acme.new_agent(), CLOCK.now()
        await past_call(database, acme, agent, now - timedelta(days=6))
        await settle(database, acme, "1.4", now)
        young = (await acme.get("/v1/billing/balance")).json()
        assert (young["recent_daily_spend_usd"], young["runway_days_estimate"]) == (None, None)
        await past_call(database, acme, agent, now - timedelta(days=8))
        await settle(database, acme, "1.6", now - timedelta(days=8))
        grown = (await acme.get("/v1/billing/balance")).json()
        assert (grown["recent_daily_spend_usd"], grown["runway_days_estimate"]) == (0.2, 35.0)

    @pytest.mark.parametrize(
        ("cost", "active", "tone"),
        [("6.99", True, "ok"), ("7.01", True, "low"), ("9.51", True, "critical"), ("10", False, "depleted")],
    )
    async def test_worries_as_the_money_runs_out(
        self, database: Database, acme: Customer, cost: str, active: bool, tone: str
    ) -> None:
        await settle(database, acme, cost, CLOCK.now())
        balance = (await acme.get("/v1/billing/balance")).json()
        assert (balance["is_active"], balance["tone"]) == (active, tone)

    async def test_is_never_negative_in_time(self, database: Database, acme: Customer) -> None:
        await settle(database, acme, "12", CLOCK.now())
        balance = (await acme.get("/v1/billing/balance")).json()
        assert (balance["balance_usd"], balance["balance_seconds"], balance["is_active"]) == (-2.0, 0, False)

    async def test_lasts_for_ever_where_a_minute_costs_nothing(self, database: Database) -> None:
        free = {"operator": {"display_name": "Operator", "per_minute": "0"}}
        async with client_for(database, agent_roles=free) as http:
            balance = (await (await new_customer(database, http)).get("/v1/billing/balance")).json()
        assert (balance["balance_seconds"], balance["estimated_minutes_remaining"]) == (None, None)
        assert (balance["is_active"], balance["tone"]) == (True, "ok")


class TestUsageSummary:
    async def test_tells_what_is_left_and_what_was_analysed(self, database: Database, acme: Customer) -> None:
        agent, now = await acme.new_agent(), CLOCK.now()
        await past_call(database, acme, agent, now, sentiments=("positive",))
        await past_call(database, acme, agent, now - timedelta(days=31), sentiments=("positive",))
        answer = await acme.get("/v1/billing/usage-summary")
        assert answer.status_code == 200
        assert answer.json() == {
            "voice_runtime": {"remaining_minutes": 200, "status": "ok"},
            "post_call_intelligence": {"status": "included", "used_units": 1},
        }


class TestEstimate:
    @pytest.mark.parametrize(
        ("asked", "role", "seconds", "cost"),
        [
            ({"agent_role": "operator", "duration_seconds": 145}, "operator", 150, 0.125),
            ({"tier": "executive", "duration_seconds": 31}, "executive", 60, 0.25),
            ({"agent_role": "specialist", "tier": "specialist", "duration_seconds": 60.0}, "specialist", 60, 0.1),
            ({"duration_seconds": 0}, "operator", 30, 0.025),
            ({"agent_role": "concierge", "duration_seconds": 60}, "concierge", 60, 0.05),
        ],
    )
    async def test_rounds_up_and_applies_the_rate(
        self, acme: Customer, asked: dict[str, object], role: str, seconds: int, cost: float
    ) -> None:
        answer = await acme.post("/v1/billing/estimate", asked)
        assert answer.status_code == 200
        estimate = answer.json()
        assert (estimate["agent_role"], estimate["bill_seconds"], estimate["cost_usd"]) == (role, seconds, cost)
        assert estimate["duration_seconds"] == asked["duration_seconds"]

    @pytest.mark.parametrize(
        "asked",
        [
            *({"duration_seconds": seconds} for seconds in (None, -1, "60", True, 1e300)),
            *({"duration_seconds": 60, "agent_role": role} for role in ("", 5, "x" * 257)),
            *({}, {"duration_seconds": 60, "agent_role": "operator", "tier": "executive"}),
        ],
    )
    async def test_refuses_what_is_wrong(self, acme: Customer, asked: dict[str, object]) -> None:
        answer = await acme.post("/v1/billing/estimate", asked)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


class TestTransactions:
    async def test_lists_every_movement_of_the_account_newest_first(
        self, database: Database, acme: Customer, rival: Customer
    ) -> None:
        call_id = await settle(database, acme, "0.125", CLOCK.now())
        await settle(database, rival, "5", CLOCK.now())
        answer = await acme.get("/v1/billing/transactions")
        assert answer.status_code == 200
        page = answer.json()
        settled, granted = page.pop("transactions")
        assert page == {"total": 2, "offset": 0, "limit": 50}
        assert settled.pop("created_at").endswith("Z")
        assert settled == {
            "kind": "settlement",
            "amount_usd": -0.125,
            "balance_after_usd": 9.875,
            "call_id": call_id,
            "reference": f"call:{call_id}",
            "note": "",
        }
        assert (granted["kind"], granted["amount_usd"], granted["call_id"]) == ("grant", 10.0, None)
        second = (await acme.get("/v1/billing/transactions?limit=1&offset=1")).json()
        assert (second["transactions"], second["total"]) == ([granted], 2)


class TestAlerts:
    async def test_change_only_what_is_sent(self, database: Database, acme: Customer) -> None:
        async def kept() -> tuple[Any, ...]:
            columns = credit_accounts.c.alert_thresholds, credit_accounts.c.low_balance_pct
            mine = credit_accounts.c.tenant_id == acme.tenant.id
            async with database.transaction() as tx:
                return tuple((await tx.execute(sa.select(*columns).where(mine))).one())

        for sent, expected in (
            ({"thresholds_usd": [5, 20.5, 5]}, ([Decimal(5), Decimal("20.5")], None)),
            ({"low_balance_pct": 12.5, "email_enabled": False}, ([Decimal(5), Decimal("20.5")], Decimal("12.5"))),
            ({}, ([Decimal(5), Decimal("20.5")], Decimal("12.5"))),
            ({"thresholds_usd": [], "low_balance_pct": None}, ([], None)),
            ({"thresholds_usd": None}, (None, None)),
        ):
            answer = await acme.ask("PUT", "/v1/billing/alerts", json=sent)
            assert (answer.status_code, answer.json()) == (200, {"ok": True})
            assert await kept() == expected

    @pytest.mark.parametrize(
        "sent",
        [
            *({"thresholds_usd": [0]}, {"thresholds_usd": [-1]}, {"thresholds_usd": 5}, {"thresholds_usd": ["5"]}),
            *({"thresholds_usd": [1] * 11}, {"thresholds_usd": [1e12]}, {"low_balance_pct": 101}),
            *({"low_balance_pct": -1}, {"email_enabled": True}, {"email_enabled": 0}, []),
        ],
    )
    async def test_refuse_what_is_wrong(self, acme: Customer, sent: Any) -> None:
        answer = await acme.ask("PUT", "/v1/billing/alerts", json=sent)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

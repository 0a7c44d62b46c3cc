"""`/v1/analytics/spend`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.asking import Customer
from tests.support.past_calls import past_call, past_leg

from rymi_server.foundation.database import Database

SPEND = "/v1/analytics/spend"
STRANGER = "01936f0e-7c1a-7e3c-9d53-6a1f2b3c4d5e"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def counted(points: list[dict[str, Any]]) -> dict[str, int]:
    return {point["bucket"]: point["count"] for point in points}


class TestSpend:
    async def test_adds_up_the_calls_of_the_span(self, database: Database, acme: Customer) -> None:
        first, second = await acme.new_agent(), await acme.new_agent()
        paid = {"bill_seconds": 150, "cost": "0.125"}
        await past_call(database, acme, first, NOON, connected=145, sentiments=("negative", "positive"), **paid)
        hour, day = timedelta(hours=1), timedelta(days=1)
        await past_call(
            database, acme, first, NOON + hour, connected=301, bill_seconds=330, cost="0.275", sentiments=("odd", None)
        )
        await past_call(database, acme, second, NOON + day, status="failed")
        await past_call(database, acme, second, NOON + day + hour, status="in_progress", connected=5)
        answer = await acme.get(f"{SPEND}?from=2026-03-01&to=2026-03-03")
        assert answer.status_code == 200
        assert answer.json() == {
            "total_calls": 4,
            "completed_calls": 2,
            "in_progress_calls": 1,
            "average_duration_seconds": 223.0,
            "success_rate": 0.6667,
            "telecom_costs": {"total_minutes": 0.0, "cost_usd": 0.0, "other_currencies": {}},
            "total_spent": 0.4,
            "time_series": [
                {"date": "2026-03-01", "calls": 2, "minutes": 8.0, "cost": 0.4},
                {"date": "2026-03-02", "calls": 2, "minutes": 0.0, "cost": 0.0},
                {"date": "2026-03-03", "calls": 0, "minutes": 0.0, "cost": 0.0},
            ],
            "status_distribution": {
                **{"queued": 0, "connecting": 0, "ringing": 0, "in_progress": 1},
                **{"completed": 2, "failed": 1},
            },
            "sentiment_distribution": {"positive": 1, "neutral": 0, "negative": 0, "unknown": 3},
            "agent_performance": [
                {"agent_id": first, "calls": 2, "minutes": 8.0, "cost": 0.4},
                {"agent_id": second, "calls": 2, "minutes": 0.0, "cost": 0.0},
            ],
            "drop_off_points": [
                {"bucket": "<30s", "count": 0},
                {"bucket": "30-60s", "count": 0},
                {"bucket": "1-3m", "count": 1},
                {"bucket": "3-5m", "count": 0},
                {"bucket": ">5m", "count": 1},
            ],
            "filters": {"from": "2026-03-01", "to": "2026-03-03", "agent_id": None, "status": None},
        }

    async def test_shows_what_carriers_charge_beside_what_is_billed_here(
        self, database: Database, acme: Customer, rival: Customer
    ) -> None:
        agent = await acme.new_agent()
        paid = {"bill_seconds": 150, "cost": "0.125"}
        both = await past_call(database, acme, agent, NOON, connected=145, **paid)
        await past_leg(database, acme, both, 120, "0.028", "USD")
        await past_leg(database, acme, both, 61, "0.014", "EUR")
        unpriced = await past_call(database, acme, agent, NOON + timedelta(hours=1), status="failed")
        await past_leg(database, acme, unpriced, 30, None, None)
        theirs = await past_call(database, rival, await rival.new_agent(), NOON + timedelta(hours=2))
        await past_leg(database, rival, theirs, 600, "9", "USD")
        spent = (await acme.get(f"{SPEND}?from=2026-03-01&to=2026-03-01")).json()
        assert spent["telecom_costs"] == {
            "total_minutes": 3.52,
            "cost_usd": 0.028,
            "other_currencies": {"EUR": 0.014},
        }
        assert spent["total_spent"] == 0.125
        failed = (await acme.get(f"{SPEND}?from=2026-03-01&to=2026-03-01&status=failed")).json()
        assert failed["telecom_costs"] == {"total_minutes": 0.5, "cost_usd": 0.0, "other_currencies": {}}

    async def test_is_all_zeros_where_nothing_happened(self, acme: Customer) -> None:
        spent = (await acme.get(f"{SPEND}?from=2026-03-01&to=2026-03-01")).json()
        assert (spent["total_calls"], spent["success_rate"], spent["average_duration_seconds"]) == (0, 0.0, 0.0)
        assert spent["time_series"] == [{"date": "2026-03-01", "calls": 0, "minutes": 0.0, "cost": 0.0}]
        assert spent["agent_performance"] == []

    async def test_covers_the_last_thirty_days_unless_told_otherwise(self, database: Database, acme: Customer) -> None:
        agent, now = await acme.new_agent(), datetime.now(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        await past_call(database, acme, agent, now)
        await past_call(database, acme, agent, midnight - timedelta(days=29))
        await past_call(database, acme, agent, midnight - timedelta(days=29, milliseconds=1))
        spent = (await acme.get(SPEND)).json()
        assert spent["total_calls"] == 2
        assert len(spent["time_series"]) == 30
        assert spent["filters"]["to"] == now.date().isoformat()
        until = (midnight - timedelta(days=30)).date()
        assert (await acme.get(f"{SPEND}?to={until}")).json()["total_calls"] == 1

    async def test_counts_only_one_agent_or_one_status_when_asked_to(self, database: Database, acme: Customer) -> None:
        first, second = await acme.new_agent(), await acme.new_agent()
        await past_call(database, acme, first, NOON)
        await past_call(database, acme, second, NOON + timedelta(hours=1), status="failed")
        await acme.ask("DELETE", f"/v1/agents/{second}")
        span = "from=2026-03-01&to=2026-03-01"
        of_second = (await acme.get(f"{SPEND}?{span}&agent_id={second}")).json()
        assert (of_second["total_calls"], of_second["filters"]["agent_id"]) == (1, second)
        completed = (await acme.get(f"{SPEND}?{span}&status=completed")).json()
        assert (completed["total_calls"], completed["filters"]["status"]) == (1, "completed")
        assert (await acme.get(f"{SPEND}?{span}&agent_id={first}&status=failed")).json()["total_calls"] == 0

    @pytest.mark.parametrize(
        ("connected", "bucket"),
        [
            *((0, "<30s"), (29.9, "<30s"), (30, "30-60s"), (60, "1-3m"), (179, "1-3m")),
            *((180, "3-5m"), (299, "3-5m"), (300, ">5m"), (7200, ">5m")),
        ],
    )
    async def test_sorts_calls_by_how_long_they_lasted(
        self, database: Database, acme: Customer, connected: float, bucket: str
    ) -> None:
        await past_call(database, acme, await acme.new_agent(), NOON, connected=connected)
        spent = (await acme.get(f"{SPEND}?from=2026-03-01&to=2026-03-01")).json()
        assert {name: count for name, count in counted(spent["drop_off_points"]).items() if count} == {bucket: 1}

    async def test_counts_nothing_of_another_account(self, database: Database, acme: Customer, rival: Customer) -> None:
        theirs = await rival.new_agent()
        await past_call(database, rival, theirs, NOON)
        assert (await acme.get(f"{SPEND}?from=2026-03-01&to=2026-03-01")).json()["total_calls"] == 0
        for agent in (theirs, STRANGER):
            answer = await acme.get(f"{SPEND}?agent_id={agent}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_covers_a_leap_year_and_not_a_day_more(self, acme: Customer) -> None:
        assert len((await acme.get(f"{SPEND}?from=2024-01-01&to=2024-12-31")).json()["time_series"]) == 366
        assert (await acme.get(f"{SPEND}?from=2024-01-01&to=2025-01-01")).status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            *("from=2026-02-30", "from=20260301", "from=2026-W09-7", "from=0", "from=", "to=yesterday"),
            *("from=0001-01-01&to=0001-01-02", "to=9999-12-31", "to=1999-12-31", "from=2026-03-01T00:00:00"),
            *("from=2026-03-02&to=2026-03-01", "agent_id=an-agent", "status=over", "status="),
        ],
    )
    async def test_refuses_what_is_no_span_or_filter(self, acme: Customer, query: str) -> None:
        answer = await acme.get(f"{SPEND}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["details"][0]["field"] == query.partition("=")[0]

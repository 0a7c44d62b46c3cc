"""Examples for the billing and analytics pages of the API's document."""

_AGENT = "01936f0e-1111-7e3c-9d53-6a1f2b3c4d5e"
_CALL = "01936f0e-7c1a-7e3c-9d53-6a1f2b3c4d5e"

ROLES = {
    "roles": {"operator": {"rate_per_minute": 0.05, "rate_per_second": 0.00083333, "display_name": "Operator"}},
}
BALANCE = {
    "tenant_id": "01936f0e-0000-7e3c-9d53-6a1f2b3c4d5e",
    "balance_seconds": 18000,
    "balance_usd": 15.0,
    "estimated_minutes_remaining": 300,
    "topup_minutes_remaining": 300,
    "roles": {"operator": 0.05, "specialist": 0.1, "executive": 0.25},
    "is_active": True,
    "tone": "ok",
    "tenant_state": "has_calls",
    "primary_role": "operator",
    "agent_roles_in_use": ["operator"],
    "recent_daily_spend_usd": 0.5,
    "runway_days_estimate": 30.0,
}
USAGE_SUMMARY = {
    "voice_runtime": {"remaining_minutes": 300, "status": "ok"},
    "post_call_intelligence": {"status": "included", "used_units": 42},
}
ESTIMATE = {
    "agent_role": "operator",
    "duration_seconds": 145,
    "bill_seconds": 150,
    "rate_per_minute": 0.05,
    "cost_usd": 0.125,
}
TRANSACTION_LIST = {
    "transactions": [
        {
            "kind": "settlement",
            "amount_usd": -0.125,
            "balance_after_usd": 14.875,
            "call_id": _CALL,
            "reference": f"call:{_CALL}",
            "note": "",
            "created_at": "2026-03-01T10:02:26Z",
        }
    ],
    "total": 1,
    "offset": 0,
    "limit": 50,
}
OK = {"ok": True}
SPEND = {
    "total_calls": 2,
    "completed_calls": 1,
    "in_progress_calls": 0,
    "average_duration_seconds": 145.0,
    "success_rate": 0.5,
    "telecom_costs": {"total_minutes": 2.0, "cost_usd": 0.028, "other_currencies": {"EUR": 0.014}},
    "total_spent": 0.125,
    "time_series": [{"date": "2026-03-01", "calls": 2, "minutes": 2.5, "cost": 0.125}],
    "status_distribution": {
        **{"queued": 0, "connecting": 0, "ringing": 0, "in_progress": 0},
        **{"completed": 1, "failed": 1},
    },
    "sentiment_distribution": {"positive": 1, "neutral": 0, "negative": 0, "unknown": 1},
    "agent_performance": [{"agent_id": _AGENT, "calls": 2, "minutes": 2.5, "cost": 0.125}],
    "drop_off_points": [
        {"bucket": "<30s", "count": 0},
        {"bucket": "30-60s", "count": 0},
        {"bucket": "1-3m", "count": 1},
        {"bucket": "3-5m", "count": 0},
        {"bucket": ">5m", "count": 0},
    ],
    "filters": {"from": "2026-03-01", "to": "2026-03-01", "agent_id": None, "status": None},
}

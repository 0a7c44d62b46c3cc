"""What is sent to and answered by the billing and analytics pages."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from rymi_server.call_views.usage import RECENT
from rymi_server.calls.models import CallStatus
from rymi_server.credits.standing import Tone
from rymi_server.http.v1.fields import RequestBody, ResponseBody

_LONGEST_CALL_SECONDS = 31_536_000

RoleName = Annotated[str, Field(min_length=1, max_length=256)]


class EstimateBody(RequestBody):
    agent_role: RoleName | None = Field(default=None, description="`operator` unless something else is said.")
    tier: RoleName | None = Field(default=None, description="Another word for `agent_role`.")
    duration_seconds: float = Field(ge=0, le=_LONGEST_CALL_SECONDS, description="Connected time.")

    @model_validator(mode="after")
    def _one_role(self) -> "EstimateBody":
        if self.agent_role and self.tier and self.agent_role != self.tier:
            raise ValueError("agent_role and tier are two words for the same thing; give one")
        return self


_MOST_THRESHOLDS = 10
_HIGHEST_THRESHOLD_USD = 1_000_000


ThresholdUsd = Annotated[float, Field(ge=0.01, le=_HIGHEST_THRESHOLD_USD, allow_inf_nan=False)]


def _no_number(value: object) -> object:
    """0 is equal to false, and is not what the contract says."""
    if not isinstance(value, bool):
        raise ValueError("must be false")
    return value


class AlertsBody(RequestBody):
    """Only what is sent is changed; null is what the operator has set."""

    thresholds_usd: list[ThresholdUsd] | None = Field(
        default=None,
        max_length=_MOST_THRESHOLDS,
        description="`billing.low_balance` is sent as the balance falls below each of these; none where it is empty.",
    )
    low_balance_pct: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = Field(
        default=None, description="One more threshold: so many per cent of the newest credit that was added."
    )
    email_enabled: Annotated[Literal[False], BeforeValidator(_no_number)] | None = Field(
        default=None,
        description="Only `false`: this server sends no mail. Take `billing.low_balance` by a webhook.",
    )


class OkBody(ResponseBody):
    ok: Literal[True]


# --- answers ---------------------------------------------------------------------------------------------------------


class RoleBody(ResponseBody):
    rate_per_minute: float
    rate_per_second: float
    display_name: str


class RolesBody(ResponseBody):
    roles: dict[str, RoleBody]


class BalanceBody(ResponseBody):
    """Time is counted at the operator's rate, and is null where that costs nothing."""

    tenant_id: str
    balance_seconds: int | None
    balance_usd: float
    estimated_minutes_remaining: int | None
    topup_minutes_remaining: int | None = Field(description="All credit here is topped up, so the same.")
    roles: dict[str, float] = Field(description="Price of a minute, by agent role.")
    is_active: bool = Field(description="Whether calls can be made.")
    tone: Tone
    tenant_state: Literal["no_agents", "agents_no_calls", "has_calls"]
    primary_role: str | None = Field(description=f"The role of most calls of the last {RECENT.days} days.")
    agent_roles_in_use: list[str]
    recent_daily_spend_usd: float | None = Field(description="Mean of the last 7 days, once there are as many.")
    runway_days_estimate: float | None


class VoiceRuntimeBody(ResponseBody):
    remaining_minutes: int | None
    status: Tone


class AnalysisUseBody(ResponseBody):
    status: Literal["included"]
    used_units: int = Field(description=f"Calls of the last {RECENT.days} days that were analysed.")


class UsageSummaryBody(ResponseBody):
    voice_runtime: VoiceRuntimeBody
    post_call_intelligence: AnalysisUseBody


class EstimatedBody(ResponseBody):
    agent_role: str
    duration_seconds: float
    bill_seconds: int = Field(description="Rounded up to whole increments of 30 s.")
    rate_per_minute: float
    cost_usd: float


class TransactionBody(ResponseBody):
    kind: Literal["grant", "settlement"]
    amount_usd: float = Field(description="Negative where it was charged.")
    balance_after_usd: float
    call_id: str | None
    reference: str = Field(description="What was moved for; a movement happens once for each.")
    note: str
    created_at: str


class TransactionListBody(ResponseBody):
    transactions: list[TransactionBody]
    total: int
    offset: int
    limit: int


class TelecomCosts(ResponseBody):
    """What carriers charge for the phone legs of these calls, to the account that owns the number."""

    total_minutes: float = Field(description="Billable ones, as the carriers count them.")
    cost_usd: float = Field(description="Of the legs that are charged in dollars.")
    other_currencies: dict[str, float] = Field(description="What is charged in other currencies, by their names.")


class SpendDay(ResponseBody):
    date: str
    calls: int
    minutes: float
    cost: float


class Sentiments(ResponseBody):
    positive: int
    neutral: int
    negative: int
    unknown: int


class AgentPerformance(ResponseBody):
    agent_id: str
    calls: int
    minutes: float
    cost: float


class DropOff(ResponseBody):
    bucket: Literal["<30s", "30-60s", "1-3m", "3-5m", ">5m"]
    count: int


class SpendFilters(ResponseBody):
    model_config = ConfigDict(populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    agent_id: str | None
    status: CallStatus | None


class SpendBody(ResponseBody):
    """Minutes and costs are those billed here; what carriers charge stands in `telecom_costs` alone."""

    total_calls: int
    completed_calls: int
    in_progress_calls: int
    average_duration_seconds: float = Field(description="Of the calls that somebody was in.")
    success_rate: float = Field(description="Completed calls among those that are over, from 0 to 1.")
    telecom_costs: TelecomCosts
    total_spent: float = Field(description="What these calls cost of the account's credit.")
    time_series: list[SpendDay] = Field(description="Every day (UTC) of the span, oldest first.")
    status_distribution: dict[CallStatus, int]
    sentiment_distribution: Sentiments
    agent_performance: list[AgentPerformance] = Field(description="The busiest first, at most 200.")
    drop_off_points: list[DropOff] = Field(description="How long people were connected, shortest first.")
    filters: SpendFilters

"""Settings of tenants' accounts: plans, prices, and when to tell that credit is running out."""

from decimal import Decimal

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from rymi_server.credits.rates import CHEAPEST_ROLE, Rates, RoleRate
from rymi_server.quotas.plans import Plan, Plans
from rymi_server.webhooks.mail_server import MailServer


class PlanSetting(BaseModel):
    requests_per_minute: int | None = Field(default=None, ge=1)
    concurrent_calls: int | None = Field(default=None, ge=0)
    burst: int = Field(default=0, ge=0)


class RoleSetting(BaseModel):
    display_name: str
    per_minute: Decimal = Field(ge=0)


class AccountSettings(BaseSettings):
    plans: dict[str, PlanSetting] = Field(
        default={
            "free": PlanSetting(requests_per_minute=60, concurrent_calls=1, burst=5),
            "go": PlanSetting(requests_per_minute=300, concurrent_calls=10, burst=25),
            "plus": PlanSetting(requests_per_minute=1_000, concurrent_calls=50, burst=100),
            "custom": PlanSetting(),
        },
        alias="RYMI_PLANS",
        description="Plans by name, as JSON. A limit that is absent or null does not limit.",
    )
    default_plan: str = Field(
        default="custom",
        alias="RYMI_DEFAULT_PLAN",
        description="The plan of a new tenant, and of one whose own is not in `RYMI_PLANS` any more.",
    )
    agent_roles: dict[str, RoleSetting] = Field(
        default={
            "operator": RoleSetting(display_name="Operator", per_minute=Decimal("0.05")),
            "specialist": RoleSetting(display_name="Specialist", per_minute=Decimal("0.10")),
            "executive": RoleSetting(display_name="Executive", per_minute=Decimal("0.25")),
        },
        alias="RYMI_AGENT_ROLES",
        description="Agent roles with their price a minute in USD, as JSON. `operator` is required.",
    )
    low_balance_usd: Decimal = Field(
        default=Decimal("3"),
        ge=0,
        alias="RYMI_LOW_BALANCE_USD",
        description="Below this balance `billing.low_balance` is sent, where an account has set no thresholds.",
    )

    smtp_url: str = Field(
        default="",
        alias="RYMI_SMTP_URL",
        description="The mail server that tells a webhook's `alert_email` when deliveries fail, as "
        "`smtp://user:password@host:587` or `smtps://user:password@host`. Without it no mail is sent.",
    )
    mail_from: str = Field(
        default="Rymi <rymi@localhost>", alias="RYMI_MAIL_FROM", description="Whom mails are from.", min_length=3
    )

    @field_validator("smtp_url")
    @classmethod
    def _a_mail_server(cls, url: str) -> str:
        if url:
            MailServer.at(url, "")
        return url

    @model_validator(mode="after")
    def _whole(self) -> "AccountSettings":
        if self.default_plan not in self.plans:
            raise ValueError(f"RYMI_DEFAULT_PLAN names {self.default_plan!r}, which RYMI_PLANS does not have")
        if CHEAPEST_ROLE not in self.agent_roles:
            raise ValueError(f"RYMI_AGENT_ROLES has no {CHEAPEST_ROLE!r}")
        return self

    def mail_server(self) -> MailServer | None:
        return MailServer.at(self.smtp_url, self.mail_from) if self.smtp_url else None

    def price_list(self) -> Rates:
        return Rates({name: RoleRate(role.display_name, role.per_minute) for name, role in self.agent_roles.items()})

    def plan_list(self) -> Plans:
        plans = {name: Plan(p.requests_per_minute, p.concurrent_calls, p.burst) for name, p in self.plans.items()}
        return Plans(plans, self.default_plan)

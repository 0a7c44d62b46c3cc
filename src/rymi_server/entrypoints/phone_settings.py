"""Settings of phones: carriers, the gateway that bridges them, and how numbers are rung."""

from pydantic import BaseModel, Field, model_validator
from pydantic_settings import BaseSettings

from rymi_server.telephony.terms import CARRIER_NAMES, CarrierHosts, CarrierLimits, DialTerms


class CarrierLimitSetting(BaseModel):
    calls_per_second: float = Field(gt=0, le=1_000)
    concurrent_calls: int | None = Field(default=None, ge=1)


class PhoneSettings(BaseSettings):
    carrierbox_url: str | None = Field(
        default=None,
        alias="RYMI_CARRIERBOX_URL",
        description="Carriers in a box. Its own three accounts are asked there, all others at their carriers. "
        "`rymi up` runs one unless this is set.",
    )
    gateway_port: int = Field(
        default=8002,
        ge=1,
        le=65535,
        alias="RYMI_GATEWAY_PORT",
        description="Port of the gateway, for the carriers' media sockets. It listens on RYMI_HTTP_HOST.",
    )
    gateway_metrics_port: int = Field(
        default=8003,
        ge=0,
        le=65535,
        alias="RYMI_GATEWAY_METRICS_PORT",
        description="Port of the gateway's `/healthz`, `/readyz` and `/metrics`; 0 for none.",
    )
    gateway_calls: int = Field(
        default=15,
        ge=1,
        alias="RYMI_GATEWAY_CALLS",
        description="Phones that one gateway bridges at once; one more is hung up on. "
        "Twenty fill a core. More processes take more; a proxy spreads sockets.",
    )
    gateway_drain_seconds: float = Field(
        default=3600,
        ge=0,
        alias="RYMI_GATEWAY_DRAIN_SECONDS",
        description="How long a gateway that was asked to stop waits for its calls. Asked again, it ends them.",
    )
    media_url: str | None = Field(
        default=None,
        alias="PUBLIC_MEDIA_URL",
        description="Where carriers reach the gateway, as `wss://…`. Else where `PUBLIC_BASE_URL` is, which is right "
        "behind a proxy that hands `/media/` to the gateway.",
    )
    twilio_url: str = Field(
        default="https://api.twilio.com", alias="RYMI_TWILIO_URL", description="Where Twilio is asked."
    )
    plivo_url: str = Field(default="https://api.plivo.com", alias="RYMI_PLIVO_URL", description="Where Plivo is asked.")
    vonage_url: str = Field(
        default="https://api.nexmo.com",
        alias="RYMI_VONAGE_URL",
        description="Where Vonage is asked about calls and applications.",
    )
    vonage_account_url: str = Field(
        default="https://rest.nexmo.com",
        alias="RYMI_VONAGE_ACCOUNT_URL",
        description="Where Vonage is asked about accounts and numbers.",
    )
    carrier_limits: dict[str, CarrierLimitSetting] = Field(
        default={
            "twilio": CarrierLimitSetting(calls_per_second=1),
            "plivo": CarrierLimitSetting(calls_per_second=2),
            "vonage": CarrierLimitSetting(calls_per_second=3),
        },
        alias="RYMI_CARRIER_LIMITS",
        description="How fast an account of each carrier is dialed and how many calls it may have at once, as JSON. "
        "A tenant may say otherwise of its own account when it connects it.",
    )
    ring_seconds: int = Field(
        default=30, ge=15, le=120, alias="RYMI_RING_SECONDS", description="How long a phone rings before we give up."
    )
    phone_call_seconds: int = Field(
        default=14_400,
        ge=60,
        le=86_400,
        alias="RYMI_PHONE_CALL_SECONDS",
        description="The longest that a carrier keeps a call of ours up.",
    )
    detect_machines: bool = Field(
        default=True,
        alias="RYMI_DETECT_MACHINES",
        description="Have carriers find out whether a person or a machine answered. Some charge for it.",
    )
    connect_attempts: int = Field(
        default=3,
        ge=1,
        alias="RYMI_CONNECT_ATTEMPTS",
        description="How often a tenant may send carrier credentials to be checked, in five minutes.",
    )

    @model_validator(mode="after")
    def _every_carrier_is_limited(self) -> "PhoneSettings":
        if missing := set(CARRIER_NAMES) - self.carrier_limits.keys():
            raise ValueError(f"RYMI_CARRIER_LIMITS has no {', '.join(sorted(missing))}")
        return self

    def carrier_hosts(self) -> CarrierHosts:
        hosts = (self.twilio_url, self.plivo_url, self.vonage_url, self.vonage_account_url)
        return CarrierHosts(*hosts, box=self.carrierbox_url)

    def carrier_limit_list(self) -> dict[str, CarrierLimits]:
        return {
            name: CarrierLimits(limit.calls_per_second, limit.concurrent_calls)
            for name, limit in self.carrier_limits.items()
        }

    def dial_terms(self) -> DialTerms:
        return DialTerms(self.ring_seconds, self.phone_call_seconds, self.detect_machines)

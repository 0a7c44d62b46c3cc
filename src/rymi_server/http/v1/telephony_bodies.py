"""What is sent to and answered by the telephony page."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from rymi_server.http.v1.fields import RequestBody, ResponseBody
from rymi_server.telephony.calling_hours import EVERY_DAY, CallingHours
from rymi_server.telephony.connecting import WantedConnection

Secret = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[!-~]+$")]
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
Clock = Annotated[str, Field(pattern=_CLOCK, json_schema_extra={"examples": ["08:00"]})]


class CredentialsBody(RequestBody):
    provider: Literal["plivo", "twilio", "vonage"]
    auth_id: Secret | None = Field(default=None, description="Plivo's Auth ID or Twilio's Account SID.")
    auth_token: Secret | None = Field(default=None, description="Of Plivo or Twilio.")
    api_key: Secret | None = Field(default=None, description="Of Vonage.")
    api_secret: Secret | None = Field(default=None, description="Of Vonage.")
    signature_secret: Secret | None = Field(
        default=None, description="Vonage's signature secret, with which its webhooks can be verified."
    )

    @property
    def fields(self) -> dict[str, str]:
        return {name: value for name, value in self.model_dump(exclude={"provider"}).items() if isinstance(value, str)}


class ConnectBody(CredentialsBody):
    calls_per_second: float | None = Field(
        default=None, gt=0, le=1_000, description="How fast your account may dial, if it may more than others."
    )
    concurrent_calls: int | None = Field(
        default=None, ge=1, le=100_000, description="How many calls your account may have at once."
    )

    def wanted(self) -> WantedConnection:
        rate = self.calls_per_second
        return WantedConnection(
            self.provider, self.fields, Decimal(str(rate)) if rate is not None else None, self.concurrent_calls
        )


class CallingHoursBody(RequestBody):
    """By the clock of whoever is called."""

    opens: Clock
    closes: Clock
    weekdays: Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7)] = Field(
        default=list(EVERY_DAY), description="ISO weekdays: Monday is 1."
    )

    @field_validator("weekdays")
    @classmethod
    def _each_once(cls, weekdays: list[int]) -> list[int]:
        return sorted(set(weekdays))

    @model_validator(mode="after")
    def _opens_first(self) -> "CallingHoursBody":
        if _minute(self.opens) >= _minute(self.closes):
            raise ValueError("opens must be before closes")
        return self

    def hours(self) -> CallingHours:
        return CallingHours(_minute(self.opens), _minute(self.closes), tuple(self.weekdays))


def shown(hours: CallingHours | None) -> dict[str, object] | None:
    if hours is None:
        return None
    return {
        "opens": _written(hours.opens_minute),
        "closes": _written(hours.closes_minute),
        "weekdays": list(hours.weekdays),
    }


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def _written(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# --- answers ---------------------------------------------------------------------------------------------------------


class ConnectedBody(ResponseBody):
    status: Literal["connected"]
    provider: str
    account_name: str
    message: str


class ValidatedBody(ResponseBody):
    valid: bool
    accountName: str | None = Field(default=None, description="With `valid`.")  # noqa: N815 - the word on the wire
    error: str | None = Field(default=None, description="Why the carrier does not take them, otherwise.")


class StatusBody(ResponseBody):
    connected: bool
    provider: str | None
    account_name: str | None
    account_country: str | None = Field(description="Where the carrier says it; none of today's does.")


class ProviderNumberBody(ResponseBody):
    id: str
    provider: str
    phone_number: str
    number_status: Literal["active", "inactive"]
    backend_agent_id: str | None


class ProviderNumbersBody(ResponseBody):
    numbers: list[ProviderNumberBody]


class DisconnectedBody(ResponseBody):
    status: Literal["disconnected"]
    message: str


class CredentialFieldBody(ResponseBody):
    name: str
    label: str
    required: bool
    secret: bool | None = None


class ProviderBody(ResponseBody):
    id: str
    displayName: str  # noqa: N815 - the word on the wire
    credentialFields: list[CredentialFieldBody]  # noqa: N815 - the word on the wire


class ProvidersBody(ResponseBody):
    providers: list[ProviderBody]


class ShownHoursBody(ResponseBody):
    opens: str
    closes: str
    weekdays: list[int]


class KeptHoursBody(ResponseBody):
    calling_hours: ShownHoursBody | None = Field(description="null: calls go out at any hour.")

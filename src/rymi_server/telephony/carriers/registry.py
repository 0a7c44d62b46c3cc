"""Which carriers there are. Adding one touches its own folder and a line here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx

from rymi_server.telephony.carriers.carrier import Carrier, CarrierWire, Credentials
from rymi_server.telephony.carriers.plivo.rest import PlivoAccount
from rymi_server.telephony.carriers.plivo.wire import PLIVO_WIRE
from rymi_server.telephony.carriers.twilio.rest import TwilioAccount
from rymi_server.telephony.carriers.twilio.wire import TWILIO_WIRE
from rymi_server.telephony.carriers.vonage.rest import VonageAccount, VonageHosts
from rymi_server.telephony.carriers.vonage.wire import VonageWire
from rymi_server.telephony.terms import CarrierHosts


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing that a customer types in. `pattern` is its form, where that is known."""

    name: str
    label: str
    required: bool = True
    secret: bool = False
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class CarrierKind:
    """`account_field` and `secret_field` name the fields that hold these two."""

    name: str
    display_name: str
    fields: tuple[CredentialField, ...]
    account_field: str
    secret_field: str
    calls_per_second: float
    # Whether a call too many in a second is turned away, and not only kept waiting.
    refuses_excess: bool
    wire: CarrierWire
    # What is answered to a request without a good signature. Vonage forgets to sign at times, and tries again on 5xx.
    unverified_status: int
    open: Callable[[httpx.AsyncClient, CarrierHosts, Credentials, Callable[[], datetime]], Carrier]


CARRIERS: Mapping[str, CarrierKind] = {
    kind.name: kind
    for kind in (
        CarrierKind(
            "twilio",
            "Twilio",
            (
                CredentialField("auth_id", "Account SID", pattern=re.compile(r"AC[0-9a-f]{32}")),
                CredentialField("auth_token", "Auth Token", secret=True),
            ),
            account_field="auth_id",
            secret_field="auth_token",  # noqa: S106 - The name of a field.
            calls_per_second=1,
            refuses_excess=False,
            wire=TWILIO_WIRE,
            unverified_status=403,
            open=lambda http, hosts, credentials, _: TwilioAccount(http, hosts.twilio, credentials),
        ),
        CarrierKind(
            "plivo",
            "Plivo",
            (
                CredentialField("auth_id", "Auth ID", pattern=re.compile(r"(MA|SA)[A-Z0-9]{18}")),
                CredentialField("auth_token", "Auth Token", secret=True),
            ),
            account_field="auth_id",
            secret_field="auth_token",  # noqa: S106 - The name of a field.
            calls_per_second=2,
            refuses_excess=False,
            wire=PLIVO_WIRE,
            unverified_status=403,
            open=lambda http, hosts, credentials, _: PlivoAccount(http, hosts.plivo, credentials),
        ),
        CarrierKind(
            "vonage",
            "Vonage",
            (
                CredentialField("api_key", "API Key", pattern=re.compile(r"[A-Za-z0-9]{4,32}")),
                CredentialField("api_secret", "API Secret", secret=True),
                CredentialField("signature_secret", "Signature Secret", required=False, secret=True),
            ),
            account_field="api_key",
            secret_field="api_secret",  # noqa: S106 - The name of a field.
            calls_per_second=3,
            refuses_excess=True,
            wire=VonageWire(),
            unverified_status=503,
            open=lambda http, hosts, credentials, now: VonageAccount(
                http, VonageHosts(hosts.vonage, hosts.vonage_account), credentials, now
            ),
        ),
    )
}

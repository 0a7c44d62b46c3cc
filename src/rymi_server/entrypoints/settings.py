"""Every setting of the server, read once from the environment. `docs/reference/settings.md` is made from this."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from rymi_server.entrypoints.account_settings import AccountSettings
from rymi_server.entrypoints.agent_settings import AgentSettings
from rymi_server.entrypoints.analysis_settings import AnalysisSettings
from rymi_server.entrypoints.phone_settings import PhoneSettings
from rymi_server.entrypoints.setting_forms import (
    DatabaseUrl,
    Folder,
    FromEnvironment,
    ProcessNames,
    StorageUrl,
    wrong_ports,
)
from rymi_server.entrypoints.speech_settings import SpeechSettings
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.object_storage import Links, ObjectStorage, open_storage
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.speech_engines.readiness import Equipment, EquipmentReadiness
from rymi_server.telephony.addresses import CarrierAddresses, why_unusable

_SHORTEST_SECRET = 32


class WrongSettings(Unavailable):
    code = "wrong_settings"

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


def _data_folder() -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/lib/rymi")
    return Path(platformdirs.user_data_dir("rymi", appauthor=False))


class Settings(SpeechSettings, AnalysisSettings, PhoneSettings, AgentSettings, AccountSettings, FromEnvironment):
    """Read from the environment; a name stands for itself. Whoever needs a value is handed it."""

    model_config = SettingsConfigDict(case_sensitive=True, populate_by_name=True)

    database_url: DatabaseUrl = Field(
        default=None,
        alias="DATABASE_URL",
        description="PostgreSQL 15 or newer, as `postgresql://user:password@host/database`. Without it `rymi up` runs "
        "its own. Sessions must be real ones: no pgbouncer in transaction mode.",
    )
    data_folder: Folder = Field(
        default_factory=_data_folder,
        alias="RYMI_DATA_DIR",
        description="Where `rymi up` keeps its database, generated secrets and recordings. `/var/lib/rymi` for root, "
        "else the user's data folder.",
    )
    postgres_binaries: Folder | None = Field(
        default=None,
        alias="RYMI_POSTGRES_BIN",
        description="Folder of PostgreSQL's programs for the embedded server. Found by itself otherwise.",
    )
    secret: str = Field(
        default="",
        alias="RYMI_SECRET",
        description="At least 32 random characters. Seals credentials and keys the digests of API keys. The same for "
        "all processes; keep it, because nothing opens without it. `rymi up` makes one in the data folder.",
    )
    up_without: ProcessNames = Field(
        default="",
        alias="RYMI_UP_WITHOUT",
        description="Processes that `rymi up` leaves out because they run elsewhere, separated by commas: `agent`, "
        "`api`, `carrierbox`, `gateway`, `rooms`, `worker`.",
    )
    database_connections: int = Field(
        default=10,
        ge=2,
        le=200,
        alias="RYMI_DATABASE_CONNECTIONS",
        description="Connections that each process may hold to PostgreSQL (a worker holds some more for its queues).",
    )

    http_host: str = Field(default="127.0.0.1", alias="RYMI_HTTP_HOST", description="Address the API listens on.")
    http_port: int = Field(default=8000, ge=1, le=65535, alias="RYMI_HTTP_PORT", description="Port the API listens on.")
    public_base_url: str = Field(
        default="http://localhost:8000",
        alias="PUBLIC_BASE_URL",
        description="Where the outside reaches the API; it stands in webhook and recording URLs.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1",
        alias="RYMI_TRUSTED_PROXIES",
        description="Addresses whose `X-Forwarded-For` is believed, separated by commas.",
    )
    max_body_bytes: int = Field(
        default=2_097_152, ge=1_024, alias="RYMI_MAX_BODY_BYTES", description="Largest request body."
    )
    worker_metrics_port: int = Field(
        default=8001,
        ge=0,
        le=65535,
        alias="RYMI_WORKER_PORT",
        description="Port of the worker's `/healthz`, `/readyz` and `/metrics`; 0 for none.",
    )

    storage_url: StorageUrl = Field(
        default=None,
        alias="STORAGE_URL",
        description="Where recordings are kept: `file:///a/folder` of this machine, or `s3://bucket/prefix` with the "
        "options `?endpoint=https://…&region=…&public_endpoint=https://…&virtual_hosted=true` and its keys in "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The folder `storage` in the data folder otherwise.",
    )
    recording_link_seconds: int = Field(
        default=3_600,
        ge=60,
        le=604_800,
        alias="RYMI_RECORDING_LINK_SECONDS",
        description="How long a link to a recording is good for.",
    )

    livekit_url: str = Field(
        default="ws://localhost:7880", alias="LIVEKIT_URL", description="The LiveKit server, as the server reaches it."
    )
    livekit_public_url: str | None = Field(
        default=None, alias="LIVEKIT_PUBLIC_URL", description="The LiveKit server, as browsers reach it. Else the same."
    )
    livekit_api_key: str = Field(
        default="", alias="LIVEKIT_API_KEY", description="Its API key. `rymi up` makes one for the embedded server."
    )
    livekit_api_secret: str = Field(
        default="", alias="LIVEKIT_API_SECRET", description="Its API secret, at least 32 characters."
    )

    join_timeout_seconds: int = Field(
        default=60, ge=1, alias="RYMI_JOIN_TIMEOUT_SECONDS", description="How long a call waits for an invited browser."
    )
    agent_wait_seconds: int = Field(
        default=60,
        ge=15,
        alias="RYMI_AGENT_WAIT_SECONDS",
        description="How long people in a call wait for an agent before the call is given up.",
    )
    longest_call_seconds: int = Field(
        default=14_400,
        ge=60,
        alias="RYMI_LONGEST_CALL_SECONDS",
        description="No call is longer, whatever its agent's `advanced.maxCallDuration` (in seconds) says.",
    )
    live_streams: int = Field(
        default=500,
        ge=0,
        alias="RYMI_LIVE_STREAMS",
        description="Live streams (`GET /v1/calls/:id/stream`) that each API process keeps open at once.",
    )
    failed_logins_per_minute: int = Field(
        default=60,
        ge=1,
        alias="RYMI_FAILED_LOGINS_PER_MINUTE",
        description="Wrong keys from one address, a minute.",
    )
    publishable_calls_per_minute: int = Field(
        default=30,
        ge=1,
        alias="RYMI_PUBLISHABLE_CALLS_PER_MINUTE",
        description="Requests with one publishable key from one address, a minute.",
    )
    landing_demo_calls_per_minute: int = Field(
        default=6,
        ge=1,
        alias="RYMI_LANDING_DEMO_CALLS_PER_MINUTE",
        description="The same, with one whose audience is `landing_demo`: a page that is open to everybody.",
    )
    drain_grace_seconds: float = Field(
        default=0,
        ge=0,
        le=300,
        alias="RYMI_DRAIN_GRACE_SECONDS",
        description="How long a stopping API still listens, answers 503 and is not ready, so that whoever balances the "
        "load notices. 0 where nobody does.",
    )
    migration_url: str = Field(
        default="https://docs.rymi.io/api/calls#webrtc",
        alias="RYMI_MIGRATION_URL",
        description="Where the removed realtime endpoints send people.",
    )
    allow_private_webhooks: bool = Field(
        default=False,
        alias="RYMI_ALLOW_PRIVATE_WEBHOOKS",
        description="Let webhooks go to http and to private addresses. For development only.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", alias="RYMI_LOG_LEVEL", description="The least that is logged."
    )
    log_personal: bool = Field(
        default=False,
        alias="RYMI_LOG_PERSONAL",
        description="Let phone numbers, identities and quoted speech into the logs. For development only.",
    )
    otlp_endpoint: str | None = Field(
        default=None,
        alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="An OpenTelemetry collector. Once it is set, and the `telemetry` extra installed, traces go there.",
    )

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: str) -> str:
        if secret and len(secret) < _SHORTEST_SECRET:
            raise ValueError(f"has {len(secret)} characters and needs at least {_SHORTEST_SECRET}")
        return secret

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        if wrong := why_unusable(self.public_base_url):
            raise ValueError(f"PUBLIC_BASE_URL cannot be used: {wrong}")
        return self

    def required_database_url(self) -> str:
        if not self.database_url:
            raise WrongSettings("DATABASE_URL is not set. `rymi up` sets it for the processes that it starts.")
        return self.database_url

    def required_secret(self) -> str:
        if not self.secret:
            raise WrongSettings("RYMI_SECRET is not set. Make one with: openssl rand -hex 32")
        return self.secret

    def api_url_for_agents(self) -> str:
        return (self.internal_api_url or f"http://127.0.0.1:{self.http_port}").rstrip("/")

    def folder_for_agents(self) -> Path:
        return (self.agent_folder or self.data_folder / "agent").absolute()

    def effective_storage_url(self) -> str:
        return self.storage_url or (self.data_folder.absolute() / "storage").as_uri()

    def storage(self, clock: Clock | None = None) -> ObjectStorage:
        """Where recordings are. With a `clock`, links to those of a local folder can be made as well."""
        links = Links.from_text(self.public_base_url, self.required_secret(), clock) if clock else None
        return open_storage(self.effective_storage_url(), links)

    def speech_equipment(self) -> Equipment:
        return self.equipment(self.data_folder)

    def engine_readiness(self) -> EquipmentReadiness:
        return self.readiness_of(self.speech_equipment())

    def livekit(self) -> LiveKit:
        if not self.livekit_api_key or not self.livekit_api_secret:
            raise WrongSettings("LIVEKIT_API_KEY and LIVEKIT_API_SECRET are not set.")
        return LiveKit(
            self.livekit_url,
            self.livekit_public_url or self.livekit_url,
            self.livekit_api_key,
            self.livekit_api_secret,
        )

    def carrier_addresses(self) -> CarrierAddresses:
        return CarrierAddresses.under(self.public_base_url, self.media_url, self.required_secret())


def read_settings(kept: Mapping[str, str] | None = None) -> Settings:
    """From the environment, and where that says nothing from `kept`. `WrongSettings` has a line for every mistake."""
    names = {field.alias for field in Settings.model_fields.values()} - os.environ.keys()
    missing: dict[str, Any] = {name: value for name, value in (kept or {}).items() if name in names}
    wrong = wrong_ports(os.environ)
    try:
        settings = Settings(**missing)
    except ValidationError as error:
        wrong += [f"{'.'.join(map(str, each['loc'])) or 'settings'}: {each['msg']}" for each in error.errors()]
    if wrong:
        raise WrongSettings("The settings are wrong:\n  " + "\n  ".join(wrong))
    return settings

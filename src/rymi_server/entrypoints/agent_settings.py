"""Settings of the processes that hold the calls' agents."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class AgentSettings(BaseSettings):
    agent_name: str = Field(
        default="rymi",
        min_length=1,
        alias="RYMI_AGENT_NAME",
        description="The name that agent workers register with at LiveKit, and that calls ask for. One name, one pool.",
    )
    internal_api_url: str | None = Field(
        default=None,
        alias="RYMI_INTERNAL_API_URL",
        description="Where agents reach the API. Else `http://127.0.0.1` at its port.",
    )
    agent_port: int = Field(
        default=8004,
        ge=0,
        le=65535,
        alias="RYMI_AGENT_PORT",
        description="Port of the agent worker's `/healthz`, `/readyz` and `/metrics`; 0 for none.",
    )
    agent_most_calls: int = Field(
        default_factory=lambda: 6 * (os.cpu_count() or 1),
        ge=1,
        alias="RYMI_AGENT_MOST_CALLS",
        description="Calls that one agent worker holds at a time; six a core unless something else is said.",
    )
    agent_idle_processes: int = Field(
        default=2,
        ge=0,
        le=64,
        alias="RYMI_AGENT_IDLE_PROCESSES",
        description="Processes that an agent worker keeps warm: as many calls may begin at once without waiting.",
    )
    agent_linger_seconds: float = Field(
        default=5.0,
        ge=0,
        le=600,
        alias="RYMI_AGENT_LINGER_SECONDS",
        description="How long an agent waits for somebody to come back once everybody has left.",
    )
    agent_drain_seconds: int = Field(
        default=3_600,
        ge=0,
        alias="RYMI_AGENT_DRAIN_SECONDS",
        description="How long a stopping agent worker lets its calls run on. Give its container as long to stop. "
        "Asked again, it leaves them.",
    )
    agent_folder: Path | None = Field(
        default=None,
        alias="RYMI_AGENT_FOLDER",
        description="Where an agent worker keeps recordings while they grow, and reports that the API could not take. "
        "It must outlive the worker, and workers on one machine share it, so that one tells of another's death. "
        "The folder `agent` in the data folder otherwise.",
    )

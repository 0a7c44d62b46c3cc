"""What is sent to and answered by the numbers page."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from rymi_server.http.v1.fields import Phone, RequestBody, ResponseBody, Uuid

NumberPath = Annotated[
    Phone,
    Path(
        description="The number in E.164, its `+` raw or as `%2B`.",
        openapi_examples={"raw": {"value": "+15551234567"}},
    ),
]


class NewNumberBody(RequestBody):
    number: Phone
    agent_id: Uuid | None = Field(default=None, description="The agent that answers it.")


class AttachBody(RequestBody):
    agent_id: Uuid


# --- answers ---------------------------------------------------------------------------------------------------------


class RegisteredNumberBody(ResponseBody):
    status: Literal["registered"]
    number: str
    agent_id: str | None


class AttachedNumberBody(ResponseBody):
    status: Literal["attached"]
    number: str
    agent_id: str


class RemovedNumberBody(ResponseBody):
    status: Literal["removed"]
    number: str


class NumberBody(ResponseBody):
    id: str
    number: str
    phone_number: str = Field(description="The same as `number`.")
    provider: str | None = Field(description="The carrier it was last seen at.")
    agent_id: str | None
    status: str
    webhook_status: Literal["configured", "pending", "failed", "detached", "no_carrier"] = Field(
        description="Whether the connected carrier sends its calls here: `pending` will be in a moment, `detached` has "
        "no agent, `no_carrier` is not a number of the connected account."
    )
    webhook_error: str | None = Field(description="What the carrier said, with `failed`.")
    created_at: str


class NumberListBody(ResponseBody):
    numbers: list[NumberBody]
    total: int
    offset: int
    limit: int

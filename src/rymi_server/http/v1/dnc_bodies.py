"""What is sent to and answered by the Do-Not-Call page."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field

from rymi_server.http.v1.fields import Phone, RequestBody, ResponseBody

REASON_UNLESS_SAID = "API request"

DncPath = Annotated[
    Phone,
    Path(
        description="The number in E.164, its `+` raw or as `%2B`.",
        openapi_examples={"raw": {"value": "+15550009999"}},
    ),
]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
# As somebody wrote it: what is no number is counted, not refused.
Written = Annotated[str, Field(max_length=256)]


class DncBody(RequestBody):
    phone_number: Phone
    reason: Reason | None = Field(default=None, description=f"`{REASON_UNLESS_SAID}` unless something else is said.")


class DncBatchBody(RequestBody):
    phone_numbers: Annotated[list[Written], Field(min_length=1, max_length=1_000)]
    reason: Reason | None = Field(default=None, description=f"`{REASON_UNLESS_SAID}` unless something else is said.")


class DncCheckBody(RequestBody):
    phone_numbers: Annotated[list[Written], Field(min_length=1, max_length=500)]


# --- answers ---------------------------------------------------------------------------------------------------------


class BlocklistedBody(ResponseBody):
    status: Literal["blocklisted"]
    phone_number: str


class BlocklistedBatchBody(ResponseBody):
    status: Literal["blocklisted"]
    count: int = Field(description="Different numbers that are on the list now.")
    invalid_count: int
    invalid: list[str] = Field(description="What is no number, as it was sent.")


class RemovedDncBody(ResponseBody):
    status: Literal["removed"]
    phone: str


class DncEntryBody(ResponseBody):
    phone: str
    reason: str
    opt_out_at: str


class DncListBody(ResponseBody):
    dnc_entries: list[DncEntryBody]
    total: int
    offset: int
    limit: int


class CheckedNumberBody(ResponseBody):
    phone_number: str = Field(description="As it was sent.")
    normalized: str | None
    blocked: bool
    valid: bool


class CheckedNumbersBody(ResponseBody):
    results: list[CheckedNumberBody]
    blocked_count: int
    total_checked: int

"""Fields that several pages share, and the windows that lists are asked for by."""

import json
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from rymi_server.foundation.pagination import Window
from rymi_server.foundation.phone_number import normalize

T = TypeVar("T")
_LARGEST_OBJECT_BYTES = 65_536


class RequestBody(BaseModel):
    """Types are taken as they are sent: the string "5" is not a number. Unknown fields are left to the future."""

    model_config = ConfigDict(strict=True)


class ResponseBody(BaseModel):
    """Only describes an answer; answers are not put through it."""


UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"


def _lower(text: str) -> str:
    return text.lower()


def _e164(text: str) -> str:
    number = normalize(text)
    if number is None:
        raise ValueError("this is not a phone number in international form, such as +15551234567")
    return number


def no_larger_than(most: int) -> Callable[[T], T]:
    """Refuses what takes more bytes as JSON. A call keeps all that it was told, and a batch has 500 calls."""

    def refuse(value: T) -> T:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        if size > most:
            raise ValueError(f"as JSON this takes {size} bytes, and at most {most} are kept")
        return value

    return refuse


Uuid = Annotated[str, Field(pattern=UUID, json_schema_extra={"format": "uuid"}), AfterValidator(_lower)]
Phone = Annotated[
    str, Field(max_length=40, description="A phone number in international form (E.164)."), AfterValidator(_e164)
]
JsonObject = Annotated[
    dict[str, Any],
    AfterValidator(no_larger_than(_LARGEST_OBJECT_BYTES)),
    Field(description=f"Any JSON object of at most {_LARGEST_OBJECT_BYTES} bytes."),
]
ShortText = Annotated[str, Field(min_length=1, max_length=256)]


MAX_OFFSET = 10_000_000
Offset = Annotated[int, Query(ge=0, le=MAX_OFFSET, description="How many to skip.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many to return (at most 200).")]


async def _window(limit: Limit = 50, offset: Offset = 0) -> Window:
    return Window(limit, offset)


WindowDep = Annotated[Window, Depends(_window)]

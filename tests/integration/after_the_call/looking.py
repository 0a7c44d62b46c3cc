"""What is looked at while a call is being finished, and what it is asked for."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.support.after_calls import Receiver
from tests.support.asking import Customer

RECORDED = {"post_call": {"recording": {"enabled": True}}}


async def detail_of(customer: Customer, call_id: str) -> dict[str, Any]:
    answer = await customer.get(f"/v1/calls/{call_id}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def has(hook: Receiver, event: str) -> Callable[[], Awaitable[bool]]:
    async def there() -> bool:
        return event in hook.events

    return there


def told_of(hook: Receiver, count: int) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return len(hook.got) >= count

    return enough


def billed(customer: Customer, call_id: str) -> Callable[[], Awaitable[bool]]:
    async def is_billed() -> bool:
        return (await detail_of(customer, call_id))["bill_duration"] is not None

    return is_billed


def shows(customer: Customer, call_id: str, message: str) -> Callable[[], Awaitable[bool]]:
    async def shown() -> bool:
        return message in [each["message"] for each in (await detail_of(customer, call_id))["events"]]

    return shown

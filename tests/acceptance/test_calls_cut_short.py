"""Calls that end before their people want them to: the credit is gone, or no agent can serve them. Both are told."""

import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
from tests.support.after_calls import Receiver, receiver
from tests.support.up import Up
from tests.support.waiting import until
from tests.support.web_calls import PATIENCE_SECONDS, WebCall, customer_of

EVENTS = ["agent.failed", "billing.low_balance", "call.completed"]


@contextmanager
def installation(*, agents: bool) -> Iterator[Up]:
    more = {
        "RYMI_AGENT_IDLE_PROCESSES": "1",
        "RYMI_ALLOW_PRIVATE_WEBHOOKS": "true",
        "RYMI_AGENT_WAIT_SECONDS": "15",
        "RYMI_LOW_BALANCE_USD": "0.03",
    }
    up = Up(rooms=True, agents=agents, more_environment=more)
    up.start()
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.stop()
        shutil.rmtree(up.folder)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with installation(agents=True) as up:
        yield up


@pytest.fixture(scope="module")
def without_agents() -> Iterator[Up]:
    with installation(agents=False) as up:
        yield up


@asynccontextmanager
async def hearing_customer(up: Up) -> AsyncIterator[tuple[httpx.AsyncClient, Receiver]]:
    async with customer_of(up) as customer, receiver() as hook:
        made = await customer.post("/v1/webhooks", json={"url": hook.url, "events": EVENTS})
        assert made.status_code == 201, made.text
        yield customer, hook


def told(hook: Receiver, event: str) -> Callable[[], Any]:
    async def is_told() -> bool:
        return event in hook.events

    return is_told


class TestACallWhoseCreditEnds:
    async def test_is_told_so_by_its_agent_and_then_ended(self, up: Up) -> None:
        async with hearing_customer(up) as (customer, hook):
            call = await WebCall.create(customer, up.agent(), "ann")
            await call.enter("ann", "slt")
            await call.agent_answers_beyond(0)
            balance = (await customer.get("/v1/billing/balance")).json()["balance_usd"]
            # Enough for one increment of thirty seconds, and not for two.
            rest = f"{0.04 - balance:.3f}"
            taken = up.command("credits", "add", "--tenant", "Demo", "--", rest)
            assert (taken.returncode, taken.stdout) == (0, "0.04 USD\n"), taken.stderr
            await call.hears_of(None, "this call has to end now")
            await call.becomes("the call to be ended", "completed")
            await until("the end to be told", told(hook, "call.completed"), seconds=PATIENCE_SECONDS)
            await until("the low balance to be told", told(hook, "billing.low_balance"), seconds=PATIENCE_SECONDS)
            ended = await call.look()
        assert ended["end_reason"] == "credits_exhausted"
        assert ended["bill_duration"] == 30, "it ended within the increment that was paid"
        assert "Credit is exhausted" in [event["message"] for event in ended["events"]]
        assert "agent.failed" not in hook.events


class TestACallThatNoAgentComesTo:
    async def test_is_given_up_and_its_agent_is_told_to_have_failed(self, without_agents: Up) -> None:
        async with hearing_customer(without_agents) as (customer, hook):
            call = await WebCall.create(customer, without_agents.agent(), "ann")
            await call.enter("ann", "slt")
            await call.becomes("the call to be given up", "completed")
            await until("the end to be told", told(hook, "call.completed"), seconds=PATIENCE_SECONDS)
        assert hook.events == ["agent.failed", "call.completed"]
        failed = hook.got[0].json["data"]
        assert (failed["call_id"], failed["agent_id"]) == (call.id, without_agents.agent())
        assert failed["end_reason"] == "agent_lost"

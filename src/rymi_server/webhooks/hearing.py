"""Hears facts and tells the tenant's endpoints what they mean. Everything told is looked up when it is told."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from rymi_server.agents.facts import AgentPublished
from rymi_server.call_views import results
from rymi_server.call_views.batch_progress import progress
from rymi_server.call_views.shapes import amount, instant
from rymi_server.calls import store as calls_store
from rymi_server.calls.facts import CallEnded
from rymi_server.calls.models import Call
from rymi_server.credits.facts import BalanceLow
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.statements import Statement
from rymi_server.intelligence import store as intelligence
from rymi_server.keys.facts import ApiKeyCreated, ApiKeyRevoked
from rymi_server.numbers.facts import NumberAssigned
from rymi_server.post_call import progress as post_call
from rymi_server.recordings import store as recordings
from rymi_server.recordings.models import RecordingStatus
from rymi_server.rooms.naming import room_name
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.reading import as_text
from rymi_server.webhooks.call_news import AfterTheCall, news_of
from rymi_server.webhooks.models import News, webhook_endpoints
from rymi_server.webhooks.telling import event_id, tell

# A transcript longer than this is not sent along; it is there to be fetched.
_LONGEST_TRANSCRIPT = 200_000
_LISTENS = Statement(sa.select(sa.exists().where(webhook_endpoints.c.tenant_id == sa.bindparam("tenant"))))


class NewsDesk:
    """Its methods are the listeners."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def of_call(self, tx: Transaction, fact: Any) -> None:
        """Whatever is new of the call that the fact is about."""
        if await _anybody_listens(tx, TenantId(fact.tenant_id)):
            await self._of_call(tx, fact)

    async def of_end(self, tx: Transaction, fact: CallEnded) -> None:
        """The same, and that a batch is through, with the last of its calls."""
        if await _anybody_listens(tx, TenantId(fact.tenant_id)):
            await self._of_batch(tx, await self._of_call(tx, fact))

    async def _of_call(self, tx: Transaction, fact: Any) -> Call:
        """The call is locked, so that news keeps its order."""
        tenant_id = TenantId(fact.tenant_id)
        call = await calls_store.lock(tx, tenant_id, fact.call_id)
        people = await calls_store.participants_of(tx, call.id)
        after = await _after(tx, call)
        now = self._clock.now()
        await tell(tx, tenant_id, news_of(call, people, after, await _data(tx, call), now), now)
        return call

    async def _of_batch(self, tx: Transaction, call: Call) -> None:
        if call.batch_id is None:
            return
        so_far = await progress(tx, call.tenant_id, call.batch_id)
        if so_far["status"] == "completed":
            # Calls may be added under the same name; then the end of a larger batch is news.
            number = event_id(call.tenant_id, "batch", call.batch_id, so_far["total"])
            await self._tell(tx, call.tenant_id, "batch.completed", number, self._clock.now(), so_far)

    async def of_balance(self, tx: Transaction, fact: BalanceLow) -> None:
        event = "billing.balance_depleted" if fact.depleted else "billing.low_balance"
        data = {"balance_usd": float(fact.balance), "threshold_usd": float(fact.threshold)}
        await self._tell_at(tx, fact.tenant_id, event, fact.at, data)

    async def of_key_created(self, tx: Transaction, fact: ApiKeyCreated) -> None:
        await self._tell_at(tx, fact.tenant_id, "system.api_key_created", fact.at, _key(fact), fact.key_id)

    async def of_key_revoked(self, tx: Transaction, fact: ApiKeyRevoked) -> None:
        await self._tell_at(tx, fact.tenant_id, "system.api_key_revoked", fact.at, _key(fact), fact.key_id)

    async def of_agent(self, tx: Transaction, fact: AgentPublished) -> None:
        data = {"agent_id": fact.agent_id, "name": fact.name, "agent_role": fact.agent_role}
        await self._tell_at(tx, fact.tenant_id, "agent.published", fact.at, data, fact.agent_id)

    async def of_number(self, tx: Transaction, fact: NumberAssigned) -> None:
        data = {"number": fact.number, "agent_id": fact.agent_id}
        await self._tell_at(tx, fact.tenant_id, "agent.number_assigned", fact.at, data, fact.number)

    async def _tell_at(
        self, tx: Transaction, tenant: str, event: str, at: str, data: dict[str, Any], *more: object
    ) -> None:
        number = event_id(tenant, event, at, *more)
        await self._tell(tx, TenantId(tenant), event, number, datetime.fromisoformat(at), data)

    async def _tell(
        self, tx: Transaction, tenant_id: TenantId, event: str, number: str, at: datetime, data: dict[str, Any]
    ) -> None:
        await tell(tx, tenant_id, [News(event, number, number, at, data)], self._clock.now())


async def _anybody_listens(tx: Transaction, tenant_id: TenantId) -> bool:
    return bool((await _LISTENS.one(tx, {"tenant": tenant_id}))[0])


async def _after(tx: Transaction, call: Call) -> AfterTheCall:
    done = await post_call.of_call(tx, call.id)
    recorded = await recordings.latest(tx, call.id)
    ready = recorded is not None and recorded.status is RecordingStatus.READY
    run = await intelligence.newest_finished(tx, call.id)
    return AfterTheCall(
        done_at=done.done_at if done else None,
        recording_ready_at=done.recorded_at if done and ready else None,
        recording={"id": recorded.id, "status": recorded.status, "format": recorded.format} if recorded else None,
        analysed_at=run[1] if run else None,
        revision=run[0] if run else None,
    )


async def _data(tx: Transaction, call: Call) -> dict[str, Any]:
    found = await intelligence.shown(tx, call.id)
    return {
        "call_id": call.id,
        "agent_id": call.agent_id,
        "room_name": room_name(call.id),
        "batch_id": call.batch_id,
        "direction": call.direction,
        "status": call.status,
        "end_reason": call.end_reason,
        "started_at": instant(call.started_at),
        "ended_at": instant(call.ended_at),
        "duration": call.bill_duration,
        "cost": amount(call.total_cost),
        "metadata": call.metadata,
        "intelligence_status": call.intelligence_status,
        "summary": found.summary if found else None,
        "sentiment": found.sentiment if found else None,
        "structured_data": found.structured_data if found else None,
        "evaluation": found.evaluation if found else None,
        "transcript": await _transcript(tx, call) if call.ended_at else None,
    }


async def _transcript(tx: Transaction, call: Call) -> dict[str, Any] | None:
    """None where nothing was said, and where it is too long to be sent along."""
    said = await transcripts.of_call(tx, call.id)
    text = as_text(said)
    if not said or len(text) > _LONGEST_TRANSCRIPT:
        return None
    return {"text": text, "segments": results.segments(said)}


def _key(fact: ApiKeyCreated | ApiKeyRevoked) -> dict[str, Any]:
    return {"key_id": fact.key_id, "key_prefix": fact.prefix, "label": fact.label}

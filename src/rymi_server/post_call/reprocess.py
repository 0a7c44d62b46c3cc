"""Runs the analysis of a completed call again. Earlier results are kept; the newest run is what is shown."""

from datetime import datetime
from typing import Any

from rymi_server.agents import store as agents
from rymi_server.agents.errors import UnknownAgent
from rymi_server.agents.post_call_config import renewed
from rymi_server.calls import store
from rymi_server.calls.errors import CallNotCompleted
from rymi_server.calls.models import Call, CallStatus, IntelligenceStatus
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.intelligence import store as intelligence
from rymi_server.post_call.analyse import ANALYSE
from rymi_server.queue.enqueue import NewJob, enqueue


async def reprocess(tx: Transaction, tenant_id: TenantId, call_id: str, now: datetime) -> str:
    """Queue a further run and return the id of its job."""
    call = await store.lock(tx, tenant_id, call_id)
    if call.status is not CallStatus.COMPLETED:
        raise CallNotCompleted
    revision = await intelligence.begin(tx, call.id, await _asked_for_now(tx, call), now)
    await store.change(tx, call.id, intelligence_status=IntelligenceStatus.PENDING)
    await record(tx, call.id, Source.POST_CALL, "Post-call analysis queued", now)
    data = {"call_id": call.id, "tenant_id": tenant_id, "revision": revision}
    return await enqueue(tx, ANALYSE, NewJob(data, id=f"{call.id}-{revision}"))


async def _asked_for_now(tx: Transaction, call: Call) -> dict[str, Any]:
    """By the agent as it is now. One that has been deleted asks for what it did."""
    try:
        agent = await agents.get(tx, call.tenant_id, call.agent_id)
    except UnknownAgent:
        return call.post_call
    return renewed(call.post_call, await store.frozen_agent(tx, call.id), agent.config)

"""What happens when an agent asks for a human and nobody can be put through: it is told, and stays."""

from datetime import UTC, datetime

from rymi_server.calls import agent_orders, store
from rymi_server.calls.facts import HandoffWanted
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId


async def stay_when_nobody_transfers(tx: Transaction, fact: HandoffWanted) -> None:
    now = datetime.now(UTC)
    call = await store.lock(tx, TenantId(fact.tenant_id), fact.call_id)
    await record(tx, call.id, Source.LIVEKIT, "Nobody could be put through; the agent stays", now, Level.WARNING)
    await agent_orders.give(tx, call.id, "come_back", now, reason="no_transfer")

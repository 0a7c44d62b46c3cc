"""The gates that every call passes, in the one order that they are documented in.

    403 publishable key scope → 403 tenant paused → 404 agent → 400, 409 its engines → 409 Do-Not-Call → 402 credits
    → 429 quota

`open_gates` decides all but the last two; `let_in` takes the money and the place in the statement that writes the
calls, and belongs right before the commit, because it makes this tenant's other callers wait until then.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rymi_server.agents import store as agents
from rymi_server.agents.models import Agent
from rymi_server.call_control.errors import AgentRequired
from rymi_server.call_control.wanted import Caller, OwnAgent, WantedParticipant, phones
from rymi_server.calls.models import Transport
from rymi_server.credits import ledger
from rymi_server.credits.errors import InsufficientCredits
from rymi_server.credits.rates import Rates
from rymi_server.dnc.errors import NumberOnDoNotCallList
from rymi_server.dnc.store import listed
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, CallId, TenantId
from rymi_server.foundation.rows import Called, Part, write_if
from rymi_server.keys.errors import PublishableKeyRefused
from rymi_server.keys.models import Channel, PublishableKey
from rymi_server.quotas.errors import TooManyCalls
from rymi_server.quotas.plans import Plans
from rymi_server.speech_engines.casting import Defaults, wanted_by
from rymi_server.speech_engines.errors import EngineNotReady
from rymi_server.speech_engines.promises import Readiness
from rymi_server.tenants.errors import TenantPaused
from rymi_server.tenants.models import Tenant

# Whoever calls for the same tenant waits in it for those before, so that nobody counts what another is just taking.
_TAKE_PLACES = (
    "take_places(cast(:tenant as uuid), cast(:calls as uuid[]), cast(:each as numeric), cast(:most as integer),"
    " cast(:at as timestamptz))"
)
_CHANNEL = {Transport.WEBRTC: Channel.WEB, Transport.PSTN: Channel.PHONE}


@dataclass(frozen=True, slots=True)
class Admitted:
    """Nothing stands against the call but perhaps money and room."""

    agent: Agent
    rate_per_minute: Decimal


@dataclass(frozen=True, slots=True)
class Admission:
    rates: Rates
    plans: Plans
    readiness: Readiness
    engines: Defaults

    async def open_gates(
        self, tx: Transaction, caller: Caller, agent_id: str | None, participants: Sequence[WantedParticipant]
    ) -> Admitted:
        """For a new call. Raise the first refusal in the documented order."""
        chosen = _agent_within_scope(caller, agent_id, participants)
        _refuse_paused(caller.tenant)
        agent = await agents.get(tx, caller.tenant.id, chosen)
        self.refuse_unready(agent)
        await self.refuse_listed(tx, caller.tenant.id, phones(participants))
        return Admitted(agent, self.rates.of(agent.agent_role).per_minute)

    async def open_gates_of_live_call(
        self, tx: Transaction, caller: Caller | OwnAgent, participants: Sequence[WantedParticipant]
    ) -> None:
        """For more people in a call that has its agent already."""
        _refuse_paused(caller.tenant)
        await self.refuse_listed(tx, caller.tenant.id, phones(participants))
        await ledger.refuse_spent(tx, caller.tenant.id)

    async def open_gates_for_incoming(self, tx: Transaction, tenant: Tenant, agent_id: AgentId) -> Admitted:
        """For somebody who calls. Whoever does not want to be called may call us all the same."""
        _refuse_paused(tenant)
        agent = await agents.get(tx, tenant.id, agent_id)
        self.refuse_unready(agent)
        return Admitted(agent, self.rates.of(agent.agent_role).per_minute)

    def refuse_unready(self, agent: Agent) -> None:
        """No call begins with an engine that cannot run, and none downloads one."""
        missing = self.readiness.missing(wanted_by(agent.frozen(), self.engines).names())
        if missing:
            raise EngineNotReady(missing)

    async def refuse_listed(self, tx: Transaction, tenant_id: TenantId, numbers: Collection[str]) -> None:
        on_list = await listed(tx, tenant_id, numbers)
        if on_list:
            raise NumberOnDoNotCallList(sorted(on_list))

    async def let_in(
        self, tx: Transaction, tenant: Tenant, admitted: Admitted, calls: Sequence[CallId], now: datetime, *parts: Part
    ) -> None:
        """Write `calls`, which are `parts`, if there is credit and room in the plan for all of them; else nothing."""
        increment = self.rates.of(admitted.agent.agent_role).increment
        plan = self.plans.of(tenant.plan)
        wanted = {
            "tenant": tenant.id,
            "calls": list(calls),
            "each": increment,
            "most": plan.concurrent_calls,
            "at": now,
        }
        granted, affordable, available, *_ = await write_if(tx, Called(_TAKE_PLACES, wanted), *parts)
        if not affordable:
            raise InsufficientCredits(increment * len(calls), available)
        if not granted:
            assert plan.concurrent_calls is not None
            raise TooManyCalls(limit=plan.concurrent_calls)


def _agent_within_scope(caller: Caller, agent_id: str | None, participants: Sequence[WantedParticipant]) -> str:
    key = caller.key
    if not isinstance(key, PublishableKey):
        if agent_id is None:
            raise AgentRequired
        return agent_id
    for transport, channel in _CHANNEL.items():
        if channel not in key.allowed_channels and any(p.transport is transport for p in participants):
            raise PublishableKeyRefused(f"This publishable key does not allow the {channel} channel.")
    if agent_id not in (None, key.agent_id):
        raise PublishableKeyRefused("A publishable key calls its own agent; agent_id cannot be overridden.")
    if len(phones(participants)) > 1:
        raise PublishableKeyRefused("A publishable key calls exactly one phone number at a time.")
    if any(p.from_number for p in participants):
        raise PublishableKeyRefused("from_number cannot be overridden with a publishable key.")
    return key.agent_id


def _refuse_paused(tenant: Tenant) -> None:
    if tenant.is_paused:
        raise TenantPaused(tenant.paused_reason)

"""Puts a human on the line: warm, who is dialed into the room and briefed, or cold, to whom the phone is handed over.

A warm transfer is a participant whose metadata says so. When they come in, the agent briefs them and steps back; when
they do not, or leave again before the caller does, it comes back. Where it was to leave the call to them, another agent
is sent then. When the caller does not wait for them, the call is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from rymi_server.call_control.add_participants import ParticipantAdder
from rymi_server.call_control.admission import Admission
from rymi_server.call_control.create import CreatedCall
from rymi_server.call_control.errors import NoPhoneToTransfer, WhichPhone
from rymi_server.call_control.wanted import Caller, OwnAgent, WantedParticipant
from rymi_server.calls import agent_orders, agent_runs, store
from rymi_server.calls.errors import CallIsOver
from rymi_server.calls.facts import HandoffWanted, ParticipantJoined, ParticipantLeft
from rymi_server.calls.lifecycle import GONE, OVER, somebody_to_put_through
from rymi_server.calls.models import TRANSFER, Call, EndReason, Participant, Role, Transport
from rymi_server.calls.transitions import end
from rymi_server.events.models import Level, Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.errors import Refused
from rymi_server.foundation.ids import CallId, TenantId
from rymi_server.foundation.phone_number import normalize
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import JobKind
from rymi_server.rooms.dispatch import enqueue_successor
from rymi_server.telephony import store as legs
from rymi_server.telephony.models import Leg, LegStatus
from rymi_server.telephony.transfer import hand_over
from rymi_server.tenants.store import get as tenant_of

FIND_HUMAN = JobKind("carriers", "find_human")
_TOOL = "handoff_to_human"
_UNBRIEFED = "Hello, this is the assistant. I am connecting you to the caller who is already on this line."


class Mode(StrEnum):
    COLD = "cold"
    WARM = "warm"


class AgentAfter(StrEnum):
    """What becomes of the agent once the human is briefed."""

    STAY = "stay"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class WantedTransfer:
    """`participant_id` says which phone is handed over, where there are several."""

    to: str
    mode: Mode
    briefing: str = ""
    from_number: str | None = None
    participant_id: str | None = None
    agent: AgentAfter = AgentAfter.STAY


@dataclass(frozen=True, slots=True)
class Transfer:
    """What was begun: somebody new in the call, or a participant who will leave it."""

    call: Call
    mode: Mode
    created: CreatedCall | None
    leaving: Participant | None


class Transfers:
    def __init__(self, admission: Admission, adder: ParticipantAdder, clock: Clock) -> None:
        self._admission = admission
        self._adder = adder
        self._clock = clock

    async def start(self, tx: Transaction, caller: Caller | OwnAgent, call_id: str, wanted: WantedTransfer) -> Transfer:
        call = await store.lock(tx, caller.tenant.id, call_id)
        if call.status in OVER:
            raise CallIsOver
        if wanted.mode is Mode.WARM:
            return await self._dial_in(tx, caller, call, wanted)
        return await self._hand_over(tx, caller, call, wanted)

    async def find_human(self, tx: Transaction, job: Mapping[str, Any]) -> None:
        """What an agent has asked for. Where it cannot be, the agent is told and stays with the caller."""
        call = await store.lock(tx, TenantId(job["tenant_id"]), job["call_id"])
        if call.status in OVER:
            return
        agent = await store.frozen_agent(tx, call.id)
        number, mode, after = human_of(agent, job["to"], job["mode"])
        caller = OwnAgent(await tenant_of(tx, call.tenant_id))
        if number is None:
            await self._stay(tx, call, "no number is set for it")
            return
        try:
            async with tx.begin_nested():
                wanted = WantedTransfer(number, mode, job["briefing"], agent=after)
                await self.start(tx, caller, call.id, wanted)
        except Refused as refused:
            await self._stay(tx, call, refused.message)

    async def _dial_in(
        self, tx: Transaction, caller: Caller | OwnAgent, call: Call, wanted: WantedTransfer
    ) -> Transfer:
        mark = {TRANSFER: {"mode": wanted.mode, "briefing": wanted.briefing, "agent": wanted.agent}}
        human = WantedParticipant(Transport.PSTN, wanted.to, wanted.from_number, Role.CUSTOMER, mark)
        created = await self._adder.add(tx, caller, call.id, [human])
        await record(tx, call.id, Source.LIFECYCLE, "Transfer begun: a human is being called", self._clock.now())
        return Transfer(call, wanted.mode, created, None)

    async def _hand_over(
        self, tx: Transaction, caller: Caller | OwnAgent, call: Call, wanted: WantedTransfer
    ) -> Transfer:
        await self._admission.open_gates_of_live_call(tx, caller, [WantedParticipant(Transport.PSTN, wanted.to)])
        people = {person.id: person for person in await store.participants_of(tx, call.id)}
        leg = the_phone(await legs.of_call(tx, call.id), wanted.participant_id)
        await hand_over(tx, leg, wanted.to)
        await record(tx, call.id, Source.LIFECYCLE, "Transfer begun: the phone is handed over", self._clock.now())
        return Transfer(call, wanted.mode, None, people[leg.participant_id])

    async def _stay(self, tx: Transaction, call: Call, why: str) -> None:
        now = self._clock.now()
        message = f"Nobody could be put through: {why}"
        await record(tx, call.id, Source.LIFECYCLE, message, now, Level.WARNING)
        await agent_orders.give(tx, call.id, "come_back", now, reason="no_transfer")


def the_phone(found: Sequence[Leg], participant_id: str | None) -> Leg:
    """The phone that is to be handed over. Raise where there is none, or more than one."""
    talking = [leg for leg in found if leg.status is LegStatus.IN_PROGRESS and leg.transferred_to is None]
    chosen = [leg for leg in talking if participant_id in (None, leg.participant_id)]
    if not chosen:
        raise NoPhoneToTransfer
    if len(chosen) > 1:
        raise WhichPhone
    return chosen[0]


def human_of(agent: Mapping[str, Any], to: str | None, mode: str) -> tuple[str | None, Mode, AgentAfter]:
    """Whom to call and how, as the agent said or else as its `handoff_to_human` tool is set; whether it stays."""
    tools = [tool for tool in agent.get("tools") or () if isinstance(tool, dict) and tool.get("tool_id") == _TOOL]
    settings = next((tool.get("provider_settings") or {} for tool in tools if tool.get("enabled", True)), {})
    number = normalize(str(to or settings.get("transfer_number") or ""))
    chosen = str(settings.get("mode") or mode)
    after = AgentAfter.LEAVE if settings.get("agent") == AgentAfter.LEAVE else AgentAfter.STAY
    return number, Mode(chosen) if chosen in set(Mode) else Mode.WARM, after


async def look_for_human(tx: Transaction, fact: HandoffWanted) -> None:
    await enqueue(tx, FIND_HUMAN, NewJob(asdict(fact)))


async def brief_human(tx: Transaction, fact: ParticipantJoined) -> None:
    """Whoever was called in alone hears what it is about, and then has the caller to themselves.

    The caller may have left at the moment at which the human came, who is not kept waiting for nobody then.
    """
    found = await _of_transfer(tx, fact)
    if found is None:
        return
    call, human, others = found
    how = human.transfer or {}
    if human.status in GONE or await agent_orders.given(tx, call.id, f"brief {human.id}"):
        return
    now = human.joined_at or human.created_at
    if not somebody_to_put_through(others):
        last = max([now, *(person.left_at for person in others if person.left_at)])
        await record(tx, call.id, Source.LIFECYCLE, "Transfer: the human came and nobody was there any more", last)
        await end(tx, call, EndReason.USER_DISCONNECT, last)
        return
    await record(tx, call.id, Source.LIFECYCLE, "Transfer: the human is in the call", now)
    briefing = how.get("briefing") or _UNBRIEFED
    who = {"participant_id": human.id}
    await agent_orders.give(tx, call.id, "brief", now, text=briefing, reason=f"brief {human.id}", **who)
    then = "leave" if how.get("agent") == AgentAfter.LEAVE else "step_back"
    await agent_orders.give(tx, call.id, then, now, reason=f"{then} {human.id}", **who)


async def come_back_to_caller(tx: Transaction, fact: ParticipantLeft) -> None:
    """Nobody answered, or the human has left before the caller did: the agent has the floor again."""
    found = await _of_transfer(tx, fact)
    if found is None or await agent_orders.given(tx, found[0].id, f"come back {found[1].id}"):
        return
    call, human, _ = found
    now = human.left_at or human.created_at
    said = "Transfer: the human has left" if human.joined_at else "Transfer failed: nobody answered"
    level = Level.INFO if human.joined_at else Level.WARNING
    await record(tx, call.id, Source.LIFECYCLE, f"{said}; the agent is back", now, level)
    await agent_orders.give(tx, call.id, "come_back", now, reason=f"come back {human.id}", participant_id=human.id)
    runs = [run for run in await agent_runs.of_call(tx, call.id) if run.number > 0]
    if runs and all(run.lost_at is not None for run in runs):
        await enqueue_successor(tx, call, runs[-1], now)


async def _of_transfer(
    tx: Transaction, fact: ParticipantJoined | ParticipantLeft
) -> tuple[Call, Participant, list[Participant]] | None:
    """The live call, the human whom a transfer has called into it, and everybody else. None where it is another."""
    call = await store.lock(tx, TenantId(fact.tenant_id), fact.call_id)
    if call.status in OVER:
        return None
    people = await store.participants_of(tx, CallId(fact.call_id))
    human = next((person for person in people if person.id == fact.participant_id), None)
    if human is None or human.transfer is None:
        return None
    return call, human, [person for person in people if person.id != human.id]

"""Takes in what an agent tells of its call: each report once, a batch as a whole, in order.

A batch that is told again is answered again. What comes after the end of the call is kept as well, because an agent's
last lines are often on their way when the call ends.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rymi_server.calls import agent_orders, agent_runs, store, turns
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.facts import AgentClosed, HandoffWanted
from rymi_server.calls.lifecycle import GONE, OVER
from rymi_server.calls.live_word import tell
from rymi_server.calls.models import Call, EndReason, Role, Transport
from rymi_server.calls.transitions import end
from rymi_server.dnc.store import block
from rymi_server.events import store as events
from rymi_server.events.models import Event, Level, Source
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import EventId, ParticipantId, TenantId, is_uuid, new_prefixed
from rymi_server.foundation.rows import write
from rymi_server.queue.facts import publish
from rymi_server.recordings import segments
from rymi_server.recordings.segments import Segment
from rymi_server.runtime import reports as told
from rymi_server.runtime.reports import Answer, AnyReport, Order, Reports
from rymi_server.transcripts import store as transcripts
from rymi_server.transcripts.models import Entry, Speaker

_OPTED_OUT = "Asked the agent not to be called again"
_CONFIRMED = "You will not be called again. Goodbye."
_LATEST_MS = 2**31 - 1


async def take(tx: Transaction, tenant_id: TenantId, call_id: str, batch: Reports, now: datetime) -> Answer:
    call = await store.lock(tx, tenant_id, call_id)
    run = await agent_runs.reporting(tx, call.id, batch.run, now)
    fresh = [each.report for each in batch.reports if each.sequence > run.accepted]
    await _Taking(tx, call, run, now).take(fresh)
    accepted = max((each.sequence for each in batch.reports), default=run.accepted)
    accepted, obeyed = max(accepted, run.accepted), max(batch.obeyed, run.obeyed)
    closed_at = run.closed_at or (now if batch.closing else None)
    lost_at = run.lost_at or (now if obeyed > run.obeyed and await _is_let_go(tx, call, obeyed) else None)
    await agent_runs.change(tx, run, accepted=accepted, obeyed=obeyed, closed_at=closed_at, lost_at=lost_at)
    # Looked at again, because a report may have ended it.
    call = await store.get(tx, tenant_id, call_id)
    if batch.closing and not run.closed_at and call.status in OVER:
        await publish(tx, AgentClosed(call.id, call.tenant_id, run.run))
    orders = await agent_orders.outstanding(tx, call.id, obeyed, now)
    return Answer(
        accepted=accepted,
        over=call.status in OVER or lost_at is not None,
        orders=tuple(
            Order.model_validate(
                {
                    "number": order.number,
                    "kind": order.kind,
                    "text": order.text,
                    "reason": order.reason,
                    "participant_id": order.participant_id,
                }
            )
            for order in orders
        ),
    )


async def _is_let_go(tx: Transaction, call: Call, obeyed: int) -> bool:
    """Whether the agent has left the call to its people, and was not wanted back before it could."""
    last = await agent_orders.last_of(tx, call.id, "leave", "come_back")
    return last is not None and last.kind == "leave" and obeyed >= last.number


class _Taking:
    """One batch being taken in, of a call that is locked."""

    def __init__(self, tx: Transaction, call: Call, run: AgentRun, now: datetime) -> None:
        self._tx, self._call, self._run, self._now = tx, call, run, now

    async def take(self, reports: Sequence[AnyReport]) -> None:
        await self._keep_lines([each for each in reports if isinstance(each, told.Said)])
        await self._keep_events([each for each in reports if isinstance(each, told.Happened | told.KeysPressed)])
        await self._keep_turns([each for each in reports if isinstance(each, told.TurnTaken)])
        await self._keep_segments([each for each in reports if isinstance(each, told.SegmentRecorded)])
        for report in reports:
            await self._act_on(report)

    async def _act_on(self, report: AnyReport) -> None:
        match report:
            case told.ClockStarted():
                await self._start_clock(report)
            case told.Remembered():
                await agent_runs.change(self._tx, self._run, memory=report.memory)
            case told.HandoffWanted():
                await self._want_human(report)
            case told.OptedOut():
                await self._opt_out(report.participant_id)
            case told.KeysPressed():
                await self._hear_keys(report)
            case told.EndWanted() if self._run.lost_at is None:
                await end(self._tx, self._call, _end_reason(report.reason), self._now)
                self._call = await store.get(self._tx, self._call.tenant_id, self._call.id)
            case told.AllSaid():
                await agent_runs.change(self._tx, self._run, said_all_at=self._now)
            case told.Drafted() | told.Speaking() | told.AgentState():
                await tell(self._tx, self._call.id, report.model_dump(mode="json"))

    async def _start_clock(self, report: told.ClockStarted) -> None:
        """Once. A clock in the future would put every line before the call."""
        call = await store.get(self._tx, self._call.tenant_id, self._call.id)
        if call.clock_started_at is None:
            await store.change(self._tx, call.id, clock_started_at=min(report.started_at, self._now))

    async def _keep_lines(self, said: Sequence[told.Said]) -> None:
        await transcripts.append(self._tx, self._call.id, [_entry(report) for report in said])

    async def _keep_events(self, happened: Sequence[told.Happened | told.KeysPressed]) -> None:
        await write(self._tx, events.rows_of([self._event(report) for report in happened]))

    def _event(self, report: told.Happened | told.KeysPressed) -> Event:
        if isinstance(report, told.KeysPressed):
            level, source, message = Level.INFO, Source.TELEPHONY, f"Keys pressed: {report.digits}"
        else:
            level, source, message = Level(report.level), Source.LIVEKIT, report.message
        return Event(EventId(new_prefixed("evt")), self._call.id, level, source, message, self._now)

    async def _keep_turns(self, taken: Sequence[told.TurnTaken]) -> None:
        await turns.add(self._tx, self._call.id, self._run.run, [_turn(each) for each in taken])

    async def _keep_segments(self, recorded: Sequence[told.SegmentRecorded]) -> None:
        found = [Segment(each.key, each.started_at_ms, each.duration_ms, each.tracks, each.peaks) for each in recorded]
        await segments.add(self._tx, self._call.id, found, self._now)

    async def _want_human(self, report: told.HandoffWanted) -> None:
        if self._call.status in OVER or self._run.lost_at is not None:
            return
        call = self._call
        await events.record(self._tx, call.id, Source.LIVEKIT, "The agent asks for a human", self._now)
        await publish(self._tx, HandoffWanted(call.id, call.tenant_id, report.to, report.mode, report.briefing))

    async def _hear_keys(self, report: told.KeysPressed) -> None:
        """The agent's owner may have named a key by which people opt out."""
        agent = await store.frozen_agent(self._tx, self._call.id)
        advanced = agent.get("advanced")
        key = advanced.get("optOutKey") if isinstance(advanced, dict) else None
        if key and _is_only(key, report.digits):
            await self._opt_out(report.participant_id)
            await self._confirm(report.participant_id)

    async def _confirm(self, participant_id: str) -> None:
        """Whoever opts out is told that it was understood. Their call ends with it, unless others are in it."""
        why = f"opt out {participant_id}"
        if self._call.status in OVER or await agent_orders.given(self._tx, self._call.id, why):
            return
        everybody = await store.participants_of(self._tx, self._call.id)
        others = [p for p in everybody if p.role is not Role.AGENT and p.status not in GONE and p.id != participant_id]
        kind = "say" if others else "say_and_end"
        await agent_orders.give(self._tx, self._call.id, kind, self._now, text=_CONFIRMED, reason=why)

    async def _opt_out(self, participant_id: str) -> None:
        """Of a browser, and of who hides their number, there is none to be kept from dialing; the wish is on record."""
        who = [p for p in await store.participants_of(self._tx, self._call.id) if p.id == participant_id]
        phones = [p.identity for p in who if p.transport is Transport.PSTN and p.identity.startswith("+")]
        await block(self._tx, self._call.tenant_id, phones, _OPTED_OUT, self._now)
        said = "A caller opted out of further calls" + (" and is on the Do-Not-Call list" if phones else "")
        await events.record(self._tx, self._call.id, Source.LIVEKIT, said, self._now)


def _is_only(key: str, entered: str) -> bool:
    """Whether that key was meant, and not a number in which it stands. `#` may end whatever is entered."""
    return set(entered.removesuffix("#") or entered) == {key}


def _entry(report: told.Said) -> Entry:
    line = report.line
    return Entry(
        sequence=0,
        participant_id=_participant(line.participant_id),
        identity=line.identity,
        speaker=Speaker(line.speaker),
        text=line.text,
        started_at_ms=_within_column(line.started_at_ms),
        ended_at_ms=_within_column(line.ended_at_ms),
        is_final=True,
        source="runtime",
        segment_id=report.segment_id,
    )


def _turn(report: told.TurnTaken) -> dict[str, Any]:
    told_of = report.model_dump(exclude={"kind"})
    kept = {name: _within_column(value) if name.endswith("_ms") and value else value for name, value in told_of.items()}
    return {**kept, "participant_id": _participant(report.participant_id)}


def _participant(told_as: str | None) -> ParticipantId | None:
    """None for whoever an agent knows by no id of ours."""
    return ParticipantId(told_as) if told_as and is_uuid(told_as) else None


def _within_column(milliseconds: int) -> int:
    return max(-_LATEST_MS, min(_LATEST_MS, milliseconds))


def _end_reason(word: str) -> EndReason:
    """An agent that ends a call in words that the API does not have has done so by its tool."""
    return EndReason(word) if word in set(EndReason) else EndReason.END_CALL_TOOL

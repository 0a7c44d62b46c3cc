"""Brings more people into a call that is still going on."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError

from rymi_server.call_control.admission import Admission
from rymi_server.call_control.create import CreatedCall
from rymi_server.call_control.seats import caller_id, seat
from rymi_server.call_control.wanted import Caller, OwnAgent, WantedCall, WantedParticipant
from rymi_server.calls import store
from rymi_server.calls.errors import CallIsOver, IdentityTaken
from rymi_server.calls.lifecycle import OVER
from rymi_server.events.models import Source
from rymi_server.events.store import record
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.rows import write
from rymi_server.rooms.dispatch import enqueue_dispatch
from rymi_server.telephony import store as legs
from rymi_server.telephony.dialing import dialing


class ParticipantAdder:
    def __init__(self, admission: Admission, clock: Clock) -> None:
        self._admission = admission
        self._clock = clock

    async def add(
        self, tx: Transaction, caller: Caller | OwnAgent, call_id: str, wanted: Sequence[WantedParticipant]
    ) -> CreatedCall:
        """The call with the people who are new in it."""
        call = await store.lock(tx, caller.tenant.id, call_id)
        if call.status in OVER:
            raise CallIsOver
        await self._admission.open_gates_of_live_call(tx, caller, wanted)
        now = self._clock.now()
        default_from = await caller_id(tx, caller, call.agent_id, [WantedCall(call.agent_id, wanted)])
        seated = tuple(seat(call, participant, default_from, now) for participant in wanted)
        dialed = [each.leg for each in seated if each.leg]
        try:
            people = store.participant_rows([each.participant for each in seated])
            await write(tx, people, legs.rows_of(dialed), *dialing(dialed))
        except IntegrityError as taken:
            raise IdentityTaken("participants") from taken
        if len(dialed) < len(seated):
            await enqueue_dispatch(tx, call)
        added = "Participant added" if len(seated) == 1 else "Participants added"
        await record(tx, call.id, Source.LIFECYCLE, added, now)
        return CreatedCall(call, await store.frozen_agent(tx, call.id), seated)

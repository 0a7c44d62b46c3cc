"""Putting a human on the line: the page, what agents ask for, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.support.asking import CLOCK, NOBODY, Customer, new_customer, phone, settings_for_tests, web
from tests.support.calling import everybody_joins, jobs_in
from tests.support.unasked_carrier import UnaskedCarrier

from rymi_server.call_control.agent_reports import take
from rymi_server.call_control.lost_agents import agent_left
from rymi_server.call_control.transfer import AgentAfter, Mode, brief_human, come_back_to_caller, human_of
from rymi_server.calls import agent_orders, agent_runs, store
from rymi_server.calls.agent_orders import AgentOrder
from rymi_server.calls.agent_runs import AgentRun
from rymi_server.calls.facts import HandoffWanted, ParticipantJoined, ParticipantLeft
from rymi_server.calls.models import Call, LeaveReason, Participant, ParticipantStatus, Role, Transport
from rymi_server.calls.transitions import participant_failed, participant_joined, participant_left
from rymi_server.entrypoints.building import build_admission, build_transfers
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import CallId, LegId, ParticipantId, new_uuid
from rymi_server.foundation.rows import write
from rymi_server.runtime.reports import Answer, Reports
from rymi_server.telephony import legs as leg_transitions
from rymi_server.telephony import store as legs
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.carriers.carrier import CarrierRefused, ConnectedCarrier, OutcomeUnknown, PlacedCall
from rymi_server.telephony.models import LegStatus
from rymi_server.telephony.transfer import LegHandOver

HUMAN = "+15557654321"
STAY = AgentAfter.STAY


async def call_with(acme: Customer, database: Database, *people: dict[str, Any], **agent: Any) -> dict[str, Any]:
    """A call in which they are."""
    body = {"agent_id": await acme.new_agent(**agent), "participants": list(people)}
    call: dict[str, Any] = (await acme.post("/v1/calls", body)).json()
    await everybody_joins(database, call["id"])
    for person in call["participants"]:
        if leg_id := person.get("telephony_leg_id"):
            async with database.transaction() as tx:
                known = {"provider": "carrier", "connection_id": "con_1", "provider_call_id": f"CA-{leg_id}"}
                await legs.change(tx, LegId(leg_id), status=LegStatus.IN_PROGRESS, **known)
    return call


async def orders_of(database: Database, call_id: str) -> list[AgentOrder]:
    async with database.transaction() as tx:
        return await agent_orders.outstanding(tx, CallId(call_id), 0, CLOCK.now())


async def events_of(acme: Customer, call_id: str) -> list[str]:
    return [event["message"] for event in (await acme.get(f"/v1/calls/{call_id}")).json()["events"]]


class TestAWarmTransfer:
    async def test_dials_the_human_into_the_call(self, acme: Customer, database: Database) -> None:
        call = await call_with(acme, database, web())
        ask = {"to": HUMAN, "mode": "warm", "briefing": "She wants a refund.", "from_number": "+15559876543"}
        answer = await acme.post(f"/v1/calls/{call['id']}/transfer", ask)
        assert answer.status_code == 202, answer.text
        body = answer.json()
        assert (body["status"], body["mode"], body["to"]) == ("transferring", "warm", HUMAN)
        assert (body["participant"]["identity"], body["participant"]["status"]) == (HUMAN, "queued")
        assert body["participant"]["telephony_leg_id"] in await jobs_in(database, "dial")

    async def test_has_the_human_briefed_once_and_the_agent_step_back(self, acme: Customer, database: Database) -> None:
        call, human = await self._begin(acme, database, "She wants a refund.")
        async with database.transaction() as tx:
            await participant_joined(tx, await store.lock(tx, acme.tenant.id, call), human, CLOCK.now())
        for _ in range(2):
            async with database.transaction() as tx:
                await brief_human(tx, ParticipantJoined(call, acme.tenant.id, human))
        orders = await orders_of(database, call)
        assert [(order.kind, order.text) for order in orders] == [("brief", "She wants a refund."), ("step_back", "")]
        assert "Transfer: the human is in the call" in await events_of(acme, call)

    async def test_has_the_agent_come_back_when_nobody_answers(self, acme: Customer, database: Database) -> None:
        call, human = await self._begin(acme, database)
        async with database.transaction() as tx:
            locked = await store.lock(tx, acme.tenant.id, call)
            await participant_failed(tx, locked, human, LeaveReason.DIALING_FAILED, CLOCK.now())
        for _ in range(2):
            async with database.transaction() as tx:
                await come_back_to_caller(tx, ParticipantLeft(call, acme.tenant.id, human, "dialing_failed"))
        assert [order.kind for order in await orders_of(database, call)] == ["come_back"]
        assert "Transfer failed: nobody answered; the agent is back" in await events_of(acme, call)
        assert (await acme.get(f"/v1/calls/{call}")).json()["status"] == "in_progress"

    async def test_has_the_agent_come_back_when_the_human_leaves_first(
        self, acme: Customer, database: Database
    ) -> None:
        call, human = await self._begin(acme, database)
        async with database.transaction() as tx:
            locked = await store.lock(tx, acme.tenant.id, call)
            await participant_joined(tx, locked, human, CLOCK.now())
            await participant_left(tx, locked, human, LeaveReason.HUNG_UP, CLOCK.now())
        async with database.transaction() as tx:
            await come_back_to_caller(tx, ParticipantLeft(call, acme.tenant.id, human, "hung_up"))
        assert [order.kind for order in await orders_of(database, call)] == ["come_back"]

    async def test_has_the_agent_leave_where_that_is_asked_for(self, acme: Customer, database: Database) -> None:
        call, human = await self._begin(acme, database, "She wants a refund.", agent="leave")
        run = await self._briefed(acme, database, call, human)
        assert [order.kind for order in await orders_of(database, call)] == ["brief", "leave"]
        assert not (await report(database, acme, call, run, obeyed=1)).over
        assert (await report(database, acme, call, run, obeyed=2)).over
        await self._agent_goes(acme, database, call, run)
        detail = (await acme.get(f"/v1/calls/{call}")).json()
        assert detail["status"] == "in_progress"
        assert "The agent left the room" not in [event["message"] for event in detail["events"]]
        assert f"dispatch-{call}-2" not in await jobs_in(database, "rooms")

    async def test_sends_another_agent_when_the_human_leaves_after_it(self, acme: Customer, database: Database) -> None:
        call, human = await self._begin(acme, database, agent="leave")
        run = await self._briefed(acme, database, call, human)
        await report(database, acme, call, run, obeyed=2)
        await self._agent_goes(acme, database, call, run)
        await self._human_leaves(acme, database, call, human)
        assert [order.kind for order in await orders_of(database, call)][-1] == "come_back"
        assert f"dispatch-{call}-2" in await jobs_in(database, "rooms")

    async def test_keeps_the_agent_when_the_human_leaves_before_it(self, acme: Customer, database: Database) -> None:
        call, human = await self._begin(acme, database, agent="leave")
        run = await self._briefed(acme, database, call, human)
        await self._human_leaves(acme, database, call, human)
        assert not (await report(database, acme, call, run, obeyed=3)).over
        assert f"dispatch-{call}-2" not in await jobs_in(database, "rooms")

    async def test_is_over_when_the_caller_leaves_while_the_human_is_rung(
        self, acme: Customer, database: Database
    ) -> None:
        call, human = await self._begin(acme, database)
        await self._leaves(acme, database, call, "browser-1")
        detail = (await acme.get(f"/v1/calls/{call}")).json()
        assert (detail["status"], detail["end_reason"]) == ("completed", "user_disconnect")
        rung = next(person for person in detail["participants"] if person["id"] == human)
        assert (rung["status"], rung["leave_reason"]) == ("left", "call_ended")

    async def test_goes_on_while_another_caller_waits(self, acme: Customer, database: Database) -> None:
        call, human = await self._begin(acme, database, people=[web(), web("browser-2")])
        await self._leaves(acme, database, call, "browser-1")
        async with database.transaction() as tx:
            await participant_joined(tx, await store.lock(tx, acme.tenant.id, call), human, CLOCK.now())
            await brief_human(tx, ParticipantJoined(call, acme.tenant.id, human))
        assert [order.kind for order in await orders_of(database, call)] == ["brief", "step_back"]

    async def test_is_over_when_somebody_is_left_who_only_listens(self, acme: Customer, database: Database) -> None:
        call, _ = await self._begin(acme, database, people=[web(), web("browser-2", role="observer")])
        await self._leaves(acme, database, call, "browser-1")
        assert (await acme.get(f"/v1/calls/{call}")).json()["status"] == "completed"

    async def test_is_over_when_the_caller_leaves_at_the_moment_at_which_the_human_comes(
        self, acme: Customer, database: Database
    ) -> None:
        call, human = await self._begin(acme, database)
        async with database.transaction() as tx:
            await participant_joined(tx, await store.lock(tx, acme.tenant.id, call), human, CLOCK.now())
        await self._leaves(acme, database, call, "browser-1")
        for _ in range(2):
            async with database.transaction() as tx:
                await brief_human(tx, ParticipantJoined(call, acme.tenant.id, human))
        detail = (await acme.get(f"/v1/calls/{call}")).json()
        assert (detail["status"], detail["end_reason"]) == ("completed", "user_disconnect")
        assert detail["ended_at"] == detail["participants"][0]["left_at"]
        assert await orders_of(database, call) == []

    async def test_goes_on_with_the_human_when_the_caller_leaves_afterwards(
        self, acme: Customer, database: Database
    ) -> None:
        call, human = await self._begin(acme, database)
        await self._briefed(acme, database, call, human)
        await self._leaves(acme, database, call, "browser-1")
        assert (await acme.get(f"/v1/calls/{call}")).json()["status"] == "in_progress"

    async def test_says_nothing_of_other_people(self, acme: Customer, database: Database) -> None:
        call = await call_with(acme, database, web())
        someone = call["participants"][0]["id"]
        async with database.transaction() as tx:
            await brief_human(tx, ParticipantJoined(call["id"], acme.tenant.id, someone))
            await come_back_to_caller(tx, ParticipantLeft(call["id"], acme.tenant.id, someone, "hung_up"))
        assert await orders_of(database, call["id"]) == []

    @staticmethod
    async def _briefed(acme: Customer, database: Database, call: str, human: ParticipantId) -> AgentRun:
        """The human is in and the agent is told so. The agent's run."""
        async with database.transaction() as tx:
            locked = await store.lock(tx, acme.tenant.id, call)
            agent = agent_row(locked)
            await write(tx, store.participant_rows([agent]))
            run = await agent_runs.begin(tx, locked.id, 1, agent.id, CLOCK.now())
            await participant_joined(tx, locked, agent.id, CLOCK.now())
            await participant_joined(tx, locked, human, CLOCK.now())
        async with database.transaction() as tx:
            await brief_human(tx, ParticipantJoined(call, acme.tenant.id, human))
        return run

    @staticmethod
    async def _agent_goes(acme: Customer, database: Database, call: str, run: AgentRun) -> None:
        assert run.participant_id
        async with database.transaction() as tx:
            locked = await store.lock(tx, acme.tenant.id, call)
            agent = next(p for p in await store.participants_of(tx, locked.id) if p.id == run.participant_id)
            await agent_left(tx, locked, agent, LeaveReason.USER_DISCONNECT, CLOCK.now())

    @staticmethod
    async def _human_leaves(acme: Customer, database: Database, call: str, human: ParticipantId) -> None:
        async with database.transaction() as tx:
            locked = await store.lock(tx, acme.tenant.id, call)
            await participant_left(tx, locked, human, LeaveReason.HUNG_UP, CLOCK.now())
        async with database.transaction() as tx:
            await come_back_to_caller(tx, ParticipantLeft(call, acme.tenant.id, human, "hung_up"))

    @staticmethod
    async def _leaves(acme: Customer, database: Database, call: str, identity: str) -> None:
        async with database.transaction() as tx:
            locked = await store.lock(tx, acme.tenant.id, call)
            who = next(p for p in await store.participants_of(tx, locked.id) if p.identity == identity)
            await participant_left(tx, locked, who.id, LeaveReason.USER_DISCONNECT, CLOCK.now())

    @staticmethod
    async def _begin(
        acme: Customer,
        database: Database,
        briefing: str = "",
        people: Sequence[dict[str, Any]] = (web(),),
        **more: str,
    ) -> tuple[str, ParticipantId]:
        call = await call_with(acme, database, *people)
        ask = {"to": HUMAN, "briefing": briefing, "from_number": "+15559876543", **more}
        answer = (await acme.post(f"/v1/calls/{call['id']}/transfer", ask)).json()
        return call["id"], ParticipantId(answer["participant"]["id"])


class Handing(UnaskedCarrier):
    """Notes what it was told to hand over. Stands in for the phone company, which is outside."""

    name = "carrier"

    def __init__(self, *errors: Exception) -> None:
        self.handed: list[tuple[str, str]] = []
        self._errors = list(errors)

    async def by_id(self, tx: Transaction, connection_id: str) -> ConnectedCarrier | None:
        return ConnectedCarrier(connection_id, "carrier:1", self, 1.0, None)

    async def transfer(self, call: PlacedCall, document_url: str) -> None:
        await self.meanwhile()
        if self._errors:
            raise self._errors.pop()
        self.handed.append((call.id, document_url))

    async def meanwhile(self) -> None:
        """What happens while the carrier is asked."""


class TestAColdTransfer:
    async def test_hands_the_phone_over_and_never_hangs_it_up(self, acme: Customer, database: Database) -> None:
        call = await call_with(acme, database, phone())
        person = call["participants"][0]
        answer = await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "mode": "cold"})
        assert (answer.status_code, answer.json()["participant"]["id"]) == (202, person["id"])
        carrier, leg_id = Handing(), LegId(person["telephony_leg_id"])
        await hand_over(database, carrier, leg_id)
        assert carrier.handed[0][0] == f"CA-{leg_id}"
        assert carrier.handed[0][1].endswith("/answer")
        await audio_ends(database, leg_id)
        detail = (await acme.get(f"/v1/calls/{call['id']}")).json()
        assert (detail["status"], detail["end_reason"]) == ("completed", "handoff_to_human")
        assert detail["participants"][0]["leave_reason"] == "transferred"
        assert await hang_ups(database) == 0

    async def test_is_made_once_however_often_its_job_runs(self, acme: Customer, database: Database) -> None:
        _, leg_id = await self._asked_for(acme, database)
        carrier = Handing()
        await hand_over(database, carrier, leg_id)
        await audio_ends(database, leg_id)
        await hand_over(database, carrier, leg_id)
        assert len(carrier.handed) == 1

    async def test_is_not_made_of_a_call_that_has_ended_and_the_phone_is_hung_up(
        self, acme: Customer, database: Database
    ) -> None:
        call_id, leg_id = await self._asked_for(acme, database)
        await acme.post(f"/v1/calls/{call_id}/end")
        await audio_ends(database, leg_id)
        carrier = Handing()
        await hand_over(database, carrier, leg_id)
        assert (carrier.handed, await hang_ups(database)) == ([], 1)

    @pytest.mark.parametrize("error", [CarrierRefused("no such number"), OutcomeUnknown("no answer")])
    async def test_that_the_carrier_did_not_make_before_the_call_ended_leaves_nobody_on_the_line(
        self, acme: Customer, database: Database, error: CarrierRefused | OutcomeUnknown
    ) -> None:
        call_id, leg_id = await self._asked_for(acme, database)

        class Slow(Handing):
            async def meanwhile(self) -> None:
                await acme.post(f"/v1/calls/{call_id}/end")
                await audio_ends(database, leg_id)

        await hand_over(database, Slow(error), leg_id)
        assert await hang_ups(database) == 1
        assert [order.kind for order in await orders_of(database, call_id)] == []

    async def test_that_the_carrier_made_without_saying_so_is_never_hung_up(
        self, acme: Customer, database: Database
    ) -> None:
        _, leg_id = await self._asked_for(acme, database)

        class BreaksOff(Handing):
            async def meanwhile(self) -> None:
                await audio_ends(database, leg_id)

        await hand_over(database, BreaksOff(OutcomeUnknown("no answer")), leg_id)
        assert await hang_ups(database) == 0

    @staticmethod
    async def _asked_for(acme: Customer, database: Database) -> tuple[str, LegId]:
        """The call, and the leg that is to be handed over."""
        call = await call_with(acme, database, phone())
        asked = await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "mode": "cold"})
        assert asked.status_code == 202
        return call["id"], LegId(call["participants"][0]["telephony_leg_id"])

    async def test_leaves_the_phone_with_the_agent_when_the_carrier_refuses(
        self, acme: Customer, database: Database
    ) -> None:
        call = await call_with(acme, database, phone())
        await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "mode": "cold"})
        leg_id = LegId(call["participants"][0]["telephony_leg_id"])
        await hand_over(database, Handing(CarrierRefused("no such number")), leg_id)
        assert [order.kind for order in await orders_of(database, call["id"])] == ["come_back"]
        async with database.transaction() as tx:
            assert (await legs.get(tx, leg_id)).transferred_to is None

    async def test_needs_a_phone(self, acme: Customer, database: Database) -> None:
        call = await call_with(acme, database, web())
        answer = await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "mode": "cold"})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_phone_to_transfer")

    async def test_needs_to_know_which_phone(self, acme: Customer, database: Database) -> None:
        call = await call_with(acme, database, phone("+15551230001"), phone("+15551230002"))
        answer = await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "mode": "cold"})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "participant_id")
        chosen = {"to": HUMAN, "mode": "cold", "participant_id": call["participants"][1]["id"]}
        answer = await acme.post(f"/v1/calls/{call['id']}/transfer", chosen)
        assert answer.json()["participant"]["identity"] == "+15551230002"


class TestRefusals:
    async def test_of_numbers_that_are_not_to_be_called(self, acme: Customer, database: Database) -> None:
        await acme.post("/v1/dnc", {"phone_number": HUMAN})
        for mode, person in (("warm", web()), ("cold", phone())):
            call = await call_with(acme, database, person)
            answer = await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "mode": mode})
            assert (answer.status_code, answer.json()["code"]) == (409, "dnc_conflict")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"to": "12"},
            {"to": HUMAN, "mode": "lukewarm"},
            {"to": HUMAN, "briefing": 3},
            {"to": HUMAN, "agent": "go"},
        ],
    )
    async def test_of_what_makes_no_sense(self, acme: Customer, database: Database, body: dict[str, Any]) -> None:
        call = await call_with(acme, database, web())
        assert (await acme.post(f"/v1/calls/{call['id']}/transfer", body)).status_code == 400

    async def test_of_calls_that_are_over_or_unknown(self, acme: Customer, rival: Customer, database: Database) -> None:
        call = await call_with(acme, database, web())
        assert (await rival.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN})).status_code == 404
        assert (await acme.post(f"/v1/calls/{NOBODY}/transfer", {"to": HUMAN})).status_code == 404
        await acme.post(f"/v1/calls/{call['id']}/end")
        answer = await acme.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN})
        assert (answer.status_code, answer.json()["code"]) == (409, "call_already_ended")

    async def test_of_a_tenant_without_credit(self, database: Database, http: httpx.AsyncClient) -> None:
        poor = await new_customer(database, http, name="Poor", credit="10")
        call = await call_with(poor, database, web())
        async with database.transaction() as tx:
            await tx.execute(sa.text("update credit_accounts set balance = 0"))
        answer = await poor.post(f"/v1/calls/{call['id']}/transfer", {"to": HUMAN, "from_number": "+15559876543"})
        assert (answer.status_code, answer.json()["code"]) == (402, "insufficient_credits")


class TestAnAgentThatAsksForAHuman:
    TOOL = {"tool_id": "handoff_to_human", "enabled": True, "provider_settings": {"transfer_number": HUMAN}}

    async def test_gets_the_number_of_its_tool(self, acme: Customer, database: Database) -> None:
        await acme.post("/v1/numbers", {"number": "+15559876543"})
        call = await call_with(acme, database, web(), tools=[self.TOOL])
        await ask(database, HandoffWanted(call["id"], acme.tenant.id, None, "warm", "A refund."))
        people = (await acme.get(f"/v1/calls/{call['id']}")).json()["participants"]
        assert [person["identity"] for person in people] == ["browser-1", HUMAN]

    async def test_is_told_when_nobody_can_be_called(self, acme: Customer, database: Database) -> None:
        call = await call_with(acme, database, web())
        await ask(database, HandoffWanted(call["id"], acme.tenant.id, None, "warm", ""))
        assert [order.kind for order in await orders_of(database, call["id"])] == ["come_back"]
        assert "Nobody could be put through: no number is set for it" in await events_of(acme, call["id"])

    async def test_is_told_when_it_is_refused(self, acme: Customer, database: Database) -> None:
        await acme.post("/v1/dnc", {"phone_number": HUMAN})
        call = await call_with(acme, database, web(), tools=[self.TOOL])
        await ask(database, HandoffWanted(call["id"], acme.tenant.id, None, "warm", ""))
        assert [order.kind for order in await orders_of(database, call["id"])] == ["come_back"]

    def test_may_name_a_number_itself(self) -> None:
        assert human_of({"tools": [self.TOOL]}, "+15550001111", "cold") == ("+15550001111", Mode.COLD, STAY)
        assert human_of({"tools": [{**self.TOOL, "enabled": False}]}, None, "warm") == (None, Mode.WARM, STAY)
        leaving = {**self.TOOL, "provider_settings": {"transfer_number": HUMAN, "agent": "leave"}}
        assert human_of({"tools": [leaving]}, None, "warm") == (HUMAN, Mode.WARM, AgentAfter.LEAVE)
        assert human_of({"tools": None}, "nonsense", "lukewarm") == (None, Mode.WARM, STAY)


def agent_row(call: Call) -> Participant:
    identity = ParticipantId(new_uuid())
    joining = (ParticipantStatus.JOINING, {}, None, CLOCK.now(), None, None)
    return Participant(identity, call.id, call.tenant_id, Role.AGENT, Transport.INTERNAL, identity, *joining)


async def report(database: Database, acme: Customer, call: str, run: AgentRun, obeyed: int) -> Answer:
    async with database.transaction() as tx:
        return await take(tx, acme.tenant.id, call, Reports(run=run.run, obeyed=obeyed), CLOCK.now())


async def ask(database: Database, fact: HandoffWanted) -> None:
    transfers = build_transfers(build_admission(settings_for_tests()), CLOCK)
    async with database.transaction() as tx:
        await transfers.find_human(tx, asdict(fact))


async def audio_ends(database: Database, leg_id: LegId) -> None:
    async with database.transaction() as tx:
        await leg_transitions.media_ended(tx, leg_id, CLOCK.now())


async def hang_ups(database: Database) -> int:
    """How often a carrier is to be told to hang up."""
    named = sa.text("select count(*) from bullmq.job where queue = 'carriers' and name = 'hang_up'")
    async with database.transaction() as tx:
        return int((await tx.execute(named)).scalar_one())


async def hand_over(database: Database, carrier: Handing, leg_id: LegId) -> None:
    addresses = CarrierAddresses.under("https://voice.example.com", None, "a secret")
    await LegHandOver(database, carrier, addresses, CLOCK)({"leg_id": leg_id})

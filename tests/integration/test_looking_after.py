"""What keeps running calls right: silent agents, missing agents, empty accounts, calls without an end."""

from datetime import timedelta

import httpx
import pytest
from tests.support.asking import CLOCK, SECRET, Customer, new_customer, web
from tests.support.calling import everybody_joins, jobs_in
from tests.support.clocks import SetClock

from rymi_server.call_control.api_presence import api_presences, be_seen
from rymi_server.call_control.ending_credit import SAYS_WITHIN, EndingCredit
from rymi_server.call_control.long_calls import LongCalls
from rymi_server.call_control.lost_agents import SILENCE, LostAgents
from rymi_server.calls import agent_orders, agent_runs, store
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, ParticipantId, new_uuid
from rymi_server.rooms.agent_pass import AgentPasses
from rymi_server.rooms.dispatch import enqueue_dispatch

A_MINUTE = timedelta(minutes=1)


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http, name="Acme", credit="0.06")


async def new_call(customer: Customer, **agent: object) -> CallId:
    body = {"agent_id": await customer.new_agent(**agent), "participants": [web()]}
    return CallId((await customer.post("/v1/calls", body)).json()["id"])


async def send_agent(database: Database, call_id: CallId, *, heard: bool) -> None:
    """And the API has been there for long."""
    async with database.transaction() as tx:
        await be_seen(tx, "api", CLOCK.now() - A_MINUTE, CLOCK.now() + A_MINUTE * 10)
        await store.lock_by_room(tx, call_id)
        run = await agent_runs.begin(tx, call_id, 1, ParticipantId(new_uuid()), CLOCK.now())
        await agent_runs.change(tx, run, dispatch_id="AD_1", heard_at=CLOCK.now() if heard else None)


async def ending(customer: Customer, call_id: CallId) -> tuple[str, str | None]:
    shown = (await customer.get(f"/v1/calls/{call_id}")).json()
    return shown["status"], shown["end_reason"]


async def messages(customer: Customer, call_id: CallId) -> list[str]:
    return [e["message"] for e in (await customer.get(f"/v1/calls/{call_id}/events")).json()["events"]]


class TestAnAgent:
    async def test_that_falls_silent_is_replaced_once(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        await send_agent(database, call_id, heard=True)
        sweep = LostAgents(database, clock, A_MINUTE).sweep
        await sweep()
        assert f"dispatch-{call_id}-2" not in await jobs_in(database, "rooms")
        clock.pass_by(seconds=SILENCE.total_seconds() + 1)
        await sweep()
        await sweep()
        assert f"dispatch-{call_id}-2" in await jobs_in(database, "rooms")
        assert (await messages(acme, call_id)).count("Nothing was heard of the agent") == 1

    async def test_is_not_silent_while_nobody_could_hear_it(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        await send_agent(database, call_id, heard=True)
        sweep = LostAgents(database, clock, A_MINUTE).sweep
        async with database.transaction() as tx:
            await tx.execute(api_presences.update().values(seen_at=clock.now()))
        clock.pass_by(seconds=20)
        await sweep()
        async with database.transaction() as tx:
            await be_seen(tx, "its successor", clock.now(), clock.now())
        await sweep()
        assert f"dispatch-{call_id}-2" not in await jobs_in(database, "rooms")
        clock.pass_by(seconds=SILENCE.total_seconds())
        async with database.transaction() as tx:
            await be_seen(tx, "its successor", clock.now(), clock.now())
        await sweep()
        assert f"dispatch-{call_id}-2" in await jobs_in(database, "rooms")

    async def test_that_never_comes_is_missed_and_then_ends_the_call(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        await send_agent(database, call_id, heard=False)
        await everybody_joins(database, call_id)
        sweep = LostAgents(database, clock, A_MINUTE).sweep
        clock.pass_by(seconds=20)
        await sweep()
        await sweep()
        assert (await messages(acme, call_id)).count("People are waiting, and no agent has come") == 1
        async with database.transaction() as tx:
            (run,) = await agent_runs.of_call(tx, call_id)
            await agent_runs.change(tx, run, dispatched_at=CLOCK.now())
        clock.pass_by(seconds=10)
        await sweep()
        assert f"dispatch-{call_id}-2" in await jobs_in(database, "rooms")
        async with database.transaction() as tx:
            await store.lock_by_room(tx, call_id)
            await agent_runs.begin(tx, call_id, 2, ParticipantId(new_uuid()), clock.now())
        clock.pass_by(seconds=31)
        await sweep()
        assert (await ending(acme, call_id))[1] == "agent_lost"

    async def test_that_nobody_waits_for_may_take_its_time(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        await send_agent(database, call_id, heard=False)
        clock.pass_by(minutes=5)
        await LostAgents(database, clock, A_MINUTE).sweep()
        assert await ending(acme, call_id) == ("connecting", None)

    async def test_that_could_not_be_sent_is_sent_again(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        async with database.transaction() as tx:
            await be_seen(tx, "api", clock.now(), clock.now() + A_MINUTE * 10)
            await store.lock_by_room(tx, call_id)
            await agent_runs.begin(tx, call_id, 1, ParticipantId(new_uuid()), CLOCK.now())
        clock.pass_by(minutes=2)
        await LostAgents(database, clock, A_MINUTE).sweep()
        jobs = [job for job in await jobs_in(database, "rooms") if job.startswith(f"dispatch-{call_id}-1")]
        assert len(jobs) == 2

    async def test_is_sent_once_however_often_it_is_asked_for(self, database: Database, acme: Customer) -> None:
        call_id = await new_call(acme)
        async with database.transaction() as tx:
            call = await store.lock_by_room(tx, call_id)
            assert call
            await enqueue_dispatch(tx, call)
        assert (await jobs_in(database, "rooms")).count(f"dispatch-{call_id}-1") == 1


class TestADeath:
    """The machine on which an agent's process ran says that it is gone."""

    async def told(self, acme: Customer, http: httpx.AsyncClient, call_id: CallId, run: str = "1") -> int:
        token = AgentPasses.from_text(SECRET).issue(call_id, acme.tenant.id, CLOCK.now())
        url = f"/internal/v1/calls/{call_id}/runs/{run}/death"
        return (await http.post(url, headers={"Authorization": f"Bearer {token}"})).status_code

    @pytest.mark.parametrize("heard", [True, False])
    async def test_brings_a_successor_at_once_and_once(
        self, heard: bool, database: Database, acme: Customer, http: httpx.AsyncClient
    ) -> None:
        call_id = await new_call(acme)
        await send_agent(database, call_id, heard=heard)
        assert [await self.told(acme, http, call_id) for _ in range(2)] == [204, 204]
        assert [job[-2:] for job in await jobs_in(database, "rooms") if call_id in job] == ["-1", "-2"]
        assert (await messages(acme, call_id)).count("The agent's process died") == 1

    async def test_is_no_sign_of_life(self, database: Database, acme: Customer, http: httpx.AsyncClient) -> None:
        call_id = await new_call(acme)
        await send_agent(database, call_id, heard=False)
        await self.told(acme, http, call_id)
        await self.told(acme, http, call_id, "unheard-of")
        async with database.transaction() as tx:
            assert [(run.run, run.heard_at) for run in await agent_runs.of_call(tx, call_id)] == [("1", None)]

    async def test_that_is_told_late_does_not_touch_the_successor(
        self, database: Database, acme: Customer, http: httpx.AsyncClient
    ) -> None:
        """The room, or its silence, was quicker."""
        call_id, clock = await new_call(acme), SetClock.from_now()
        await send_agent(database, call_id, heard=True)
        clock.pass_by(seconds=SILENCE.total_seconds() + 1)
        await LostAgents(database, clock, A_MINUTE).sweep()
        async with database.transaction() as tx:
            await store.lock_by_room(tx, call_id)
            await agent_runs.begin(tx, call_id, 2, ParticipantId(new_uuid()), clock.now())
        assert await self.told(acme, http, call_id) == 204
        assert f"dispatch-{call_id}-3" not in await jobs_in(database, "rooms")
        async with database.transaction() as tx:
            assert (serving := await agent_runs.current(tx, call_id))
            assert serving.run == "2"

    async def test_of_one_that_has_said_its_last_word_is_none(
        self, database: Database, acme: Customer, http: httpx.AsyncClient
    ) -> None:
        call_id = await new_call(acme)
        await send_agent(database, call_id, heard=True)
        async with database.transaction() as tx:
            (run,) = await agent_runs.of_call(tx, call_id)
            await agent_runs.change(tx, run, closed_at=CLOCK.now())
        assert await self.told(acme, http, call_id) == 204
        assert f"dispatch-{call_id}-2" not in await jobs_in(database, "rooms")

    async def test_after_the_end_of_the_call_changes_nothing(
        self, database: Database, acme: Customer, http: httpx.AsyncClient
    ) -> None:
        call_id = await new_call(acme)
        await send_agent(database, call_id, heard=True)
        await acme.post(f"/v1/calls/{call_id}/end")
        assert await self.told(acme, http, call_id) == 204
        assert f"dispatch-{call_id}-2" not in await jobs_in(database, "rooms")
        assert "The agent's process died" not in await messages(acme, call_id)

    async def test_of_the_last_of_many_ends_the_call(
        self, database: Database, acme: Customer, http: httpx.AsyncClient
    ) -> None:
        call_id = await new_call(acme)
        await send_agent(database, call_id, heard=True)
        for number in range(2, 7):
            assert await self.told(acme, http, call_id, str(number - 1)) == 204
            async with database.transaction() as tx:
                await store.lock_by_room(tx, call_id)
                await agent_runs.begin(tx, call_id, number, ParticipantId(new_uuid()), CLOCK.now())
        assert await self.told(acme, http, call_id, "6") == 204
        assert (await ending(acme, call_id))[1] == "agent_lost"


class TestCredit:
    """An operator's increment of half a minute costs 2.5 cents; there are six."""

    async def test_that_lasts_is_not_spoken_of(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        await everybody_joins(database, call_id, seconds_ago=45)
        await EndingCredit(database, clock).sweep()
        async with database.transaction() as tx:
            assert await agent_orders.outstanding(tx, call_id, 0, CLOCK.now()) == []

    async def test_that_ends_is_announced_once_and_then_ends_the_call(self, database: Database, acme: Customer) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        await everybody_joins(database, call_id, seconds_ago=50)
        sweep = EndingCredit(database, clock).sweep
        await sweep()
        await sweep()
        async with database.transaction() as tx:
            (order,) = await agent_orders.outstanding(tx, call_id, 0, CLOCK.now())
        assert (order.kind, order.reason) == ("say_and_end", "credits_exhausted")
        assert (await ending(acme, call_id))[0] == "in_progress"
        clock.pass_by(seconds=SAYS_WITHIN.total_seconds())
        await sweep()
        assert await ending(acme, call_id) == ("completed", "credits_exhausted")

    async def test_of_another_tenant_pays_for_nobody(
        self, database: Database, acme: Customer, http: httpx.AsyncClient
    ) -> None:
        rich = await new_customer(database, http, name="Rich", credit="100")
        theirs, ours, clock = await new_call(rich), await new_call(acme), SetClock.from_now()
        for call_id in (theirs, ours):
            await everybody_joins(database, call_id, seconds_ago=55)
        await EndingCredit(database, clock).sweep()
        async with database.transaction() as tx:
            assert await agent_orders.given(tx, theirs, "credits_exhausted") is None
            assert await agent_orders.given(tx, ours, "credits_exhausted") is not None


class TestALongCall:
    @pytest.mark.parametrize(
        ("limit", "lasted", "over"),
        [
            *((None, 3_000, False), (None, 3_700, True), (60, 80, False), (60, 100, True)),
            *((limit, 100, False) for limit in ("soon", "60", True, 0, -5, 10**400, [60])),
            (10**400, 3_700, True),
        ],
    )
    async def test_ends_at_its_agent_s_limit_or_at_ours(
        self, database: Database, acme: Customer, limit: object, lasted: int, over: bool
    ) -> None:
        call_id, clock = await new_call(acme), SetClock.from_now()
        async with database.transaction() as tx:
            agent = {**await store.frozen_agent(tx, call_id), "advanced": {"maxCallDuration": limit}}
            await store.change(tx, call_id, agent=agent)
        await everybody_joins(database, call_id, seconds_ago=lasted)
        await LongCalls(database, clock, timedelta(hours=1)).sweep()
        assert (await ending(acme, call_id))[1] == ("max_duration" if over else None)

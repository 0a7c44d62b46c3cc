"""Calls on a real room server: the agent is sent, people come and go, and what no notice told is found out."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from livekit import api
from livekit.protocol.agent import Job, JobStatus
from tests.roomlet.people import Person, administration
from tests.roomlet.workers import HandWorker, working
from tests.support.asking import CLOCK, NOBODY, web
from tests.support.clocks import SetClock
from tests.support.installation import Installation, installation
from tests.support.up import free_ports
from tests.support.waiting import until

from rymi_server.call_control.lost_agents import replace
from rymi_server.call_control.room_checks import RoomChecks
from rymi_server.calls import agent_runs, store
from rymi_server.calls.models import CallStatus
from rymi_server.foundation.ids import CallId


@pytest.fixture
async def here(database_url: str) -> AsyncIterator[Installation]:
    (port,) = free_ports(1)
    async with installation(database_url, port) as running:
        yield running


async def new_call(here: Installation, *identities: str) -> dict[str, Any]:
    body = {"agent_id": await here.acme.new_agent(), "participants": [web(identity) for identity in identities]}
    answer = await here.acme.post("/v1/calls", body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def detail(here: Installation, call: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await here.acme.get(f"/v1/calls/{call['id']}")).json()
    return shown


async def people_of(here: Installation, call: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    return {p["identity"]: (p["status"], p["leave_reason"]) for p in (await detail(here, call))["participants"]}


async def enter(here: Installation, call: dict[str, Any], identity: str) -> Person:
    (token,) = [p["access"]["token"] for p in call["participants"] if p["identity"] == identity]
    return await Person(here.server, call["room_name"], identity).join(minted=token)


async def answer(worker: HandWorker, here: Installation) -> tuple[Person, dict[str, Any], str]:
    """Take the next job as an agent does, and be in the room: who that is, the job's metadata, its id."""
    assigned = await worker.job()
    told = json.loads(assigned.job.metadata)
    agent = await Person(here.server, assigned.job.room.name, told["participant_id"]).join(minted=assigned.token)
    return agent, told, assigned.job.id


def named_in_metadata(job: Job) -> str:
    name: str = json.loads(job.metadata)["participant_id"]
    return name


async def has_status(here: Installation, call: dict[str, Any], identity: str, status: str) -> bool:
    return (await people_of(here, call)).get(identity, ("", None))[0] == status


async def room_identities(here: Installation, call: dict[str, Any]) -> set[str]:
    return {guest.identity for guest in await here.room_server.guests(call["room_name"])}


async def becomes(here: Installation, call: dict[str, Any], status: str) -> None:
    async def is_so() -> bool:
        return bool((await detail(here, call))["status"] == status)

    await until(f"the call to be {status}", is_so)


class TestTheAgent:
    async def test_is_sent_into_the_room_and_told_what_it_needs(self, here: Installation) -> None:
        async with working(here.server, "rymi") as worker:
            call = await new_call(here, "ann")
            assigned = await worker.job()
            told = json.loads(assigned.job.metadata)
            assert assigned.job.room.name == call["room_name"]
            assert (told["call_id"], told["run"]) == (call["id"], "1")
            headers = {"Authorization": f"Bearer {told['token']}"}
            path = f"{told['api_url']}/internal/v1/calls/{call['id']}"
            briefed = await here.http.get(f"{path}/briefing", headers=headers)
            assert [p["identity"] for p in briefed.json()["people"]] == ["ann"]
            reported = await here.http.post(f"{path}/reports", json={"run": told["run"]}, headers=headers)
            assert reported.json() == {"accepted": -1, "over": False, "orders": []}

    async def test_that_dies_is_replaced_and_its_ghost_removed(self, here: Installation) -> None:
        async with working(here.server, "rymi", identity_of=named_in_metadata) as worker:
            call = await new_call(here, "ann")
            ann = await enter(here, call, "ann")
            first, told, job_id = await answer(worker, here)
            await until("the agent to be shown", lambda: has_status(here, call, told["participant_id"], "active"))
            await worker.report(job_id, JobStatus.JS_FAILED)
            second, again, _ = await answer(worker, here)
            assert (again["call_id"], again["run"]) == (call["id"], "2")
            assert await room_identities(here, call) == {"ann", again["participant_id"]}
            await until("its successor to be shown", lambda: has_status(here, call, again["participant_id"], "active"))
            assert (await people_of(here, call))[told["participant_id"]] == ("left", "connection_lost")
            for person in (first, second, ann):
                await person.leave()

    async def test_that_is_a_ghost_is_removed_for_its_successor(self, here: Installation) -> None:
        """It is still connected, and has not been heard of: only its reports tell that it lives."""
        async with working(here.server, "rymi", identity_of=named_in_metadata) as worker:
            call = await new_call(here, "ann")
            ann = await enter(here, call, "ann")
            ghost, told, _ = await answer(worker, here)
            await until("the agent to be shown", lambda: has_status(here, call, told["participant_id"], "active"))
            async with here.database.transaction() as tx:
                locked = await store.lock_by_room(tx, CallId(call["id"]))
                run = await agent_runs.current(tx, CallId(call["id"]))
                assert locked
                assert run
                await replace(tx, locked, run, "Nothing was heard of the agent", CLOCK.now())
            successor, again, _ = await answer(worker, here)
            await ghost.saw("disconnected", "PARTICIPANT_REMOVED")
            assert await room_identities(here, call) == {"ann", again["participant_id"]}
            for person in (ghost, successor, ann):
                await person.leave()


class TestWhatNoNoticeTold:
    """The API was away for longer than LiveKit tries."""

    async def test_is_found_out_by_looking(self, database_url: str) -> None:
        (port,) = free_ports(1)
        async with installation(database_url, port, notices=False) as here:
            checks, call = RoomChecks(here.database, CLOCK, here.room_server), await new_call(here, "ann", "bob")
            ann, bob = await enter(here, call, "ann"), await enter(here, call, "bob")
            await checks.sweep()
            assert await people_of(here, call) == {"ann": ("active", None), "bob": ("active", None)}
            clock = SetClock.from_now()
            clock.pass_by(seconds=6)
            checks = RoomChecks(here.database, clock, here.room_server)
            await ann.leave()
            await checks.sweep()
            assert (await people_of(here, call))["ann"] == ("left", "connection_lost")
            assert (await detail(here, call))["status"] == "in_progress"
            async with administration(here.server) as livekit:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=call["room_name"]))
            await checks.sweep()
            assert (await detail(here, call))["end_reason"] == "room_closed"
            await bob.leave()

    async def test_a_forgotten_room_is_closed_and_a_stranger_s_is_not(self, database_url: str) -> None:
        (port,) = free_ports(1)
        async with installation(database_url, port, notices=False) as here:
            call = await new_call(here, "ann")
            ann = await enter(here, call, "ann")
            stranger = await Person(here.server, f"call_{NOBODY}", "stranger").join()
            clock = SetClock.from_now()
            async with here.database.transaction() as tx:
                await store.change(tx, CallId(call["id"]), status=CallStatus.COMPLETED, ended_at=clock.now())
            clock.pass_by(minutes=1)
            await RoomChecks(here.database, clock, here.room_server).sweep()
            await ann.saw("disconnected", "ROOM_DELETED")
            assert await here.room_server.open_rooms() == {f"call_{NOBODY}"}
            for person in (ann, stranger):
                await person.leave()


class TestPeople:
    async def test_start_the_call_leave_it_and_end_it(self, here: Installation) -> None:
        call = await new_call(here, "ann", "bob")
        ann, bob = await enter(here, call, "ann"), await enter(here, call, "bob")
        await becomes(here, call, "in_progress")
        await ann.leave()

        async def ann_left() -> bool:
            return (await people_of(here, call))["ann"] == ("left", "user_disconnect")

        await until("Ann to have left", ann_left)
        assert (await detail(here, call))["status"] == "in_progress"
        await bob.leave()
        await becomes(here, call, "completed")
        assert (await detail(here, call))["end_reason"] == "user_disconnect"

    async def test_that_the_operator_removes_are_gone_for_that_reason(self, here: Installation) -> None:
        call = await new_call(here, "ann", "bob")
        ann, bob = await enter(here, call, "ann"), await enter(here, call, "bob")
        await becomes(here, call, "in_progress")
        async with administration(here.server) as livekit:
            await livekit.room.remove_participant(api.RoomParticipantIdentity(room=call["room_name"], identity="ann"))

        async def removed() -> bool:
            return (await people_of(here, call))["ann"] == ("left", "removed")

        await until("Ann to have been removed", removed)
        await ann.leave()
        await bob.leave()

    async def test_are_put_out_when_the_call_is_ended(self, here: Installation) -> None:
        call = await new_call(here, "ann")
        ann = await enter(here, call, "ann")
        await becomes(here, call, "in_progress")
        await here.acme.post(f"/v1/calls/{call['id']}/end")
        await ann.saw("disconnected", "ROOM_DELETED")
        assert (await people_of(here, call))["ann"] == ("left", "call_ended")

    async def test_that_come_when_the_call_is_over_are_put_out(self, here: Installation) -> None:
        call = await new_call(here, "ann", "bob")
        ann = await enter(here, call, "ann")
        await here.acme.post(f"/v1/calls/{call['id']}/end")
        await ann.saw("disconnected", "ROOM_DELETED")
        bob = await enter(here, call, "bob")
        await bob.saw("disconnected", "ROOM_DELETED")

    async def test_whose_room_is_deleted_have_had_their_call(self, here: Installation) -> None:
        call = await new_call(here, "ann")
        ann = await enter(here, call, "ann")
        await becomes(here, call, "in_progress")
        async with administration(here.server) as livekit:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=call["room_name"]))
        await becomes(here, call, "completed")
        await ann.leave()

"""What an agent is told, and what it tells: the internal pages, asked as an agent asks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from tests.support.asking import CLOCK, NOBODY, SECRET, Customer, phone, web
from tests.support.calling import everybody_joins

from rymi_server.calls import agent_orders, agent_runs, store, turns
from rymi_server.dnc.store import listed
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, ParticipantId, new_uuid
from rymi_server.recordings import segments
from rymi_server.rooms.agent_pass import LIVES, AgentPasses


@dataclass
class Agent:
    """An agent process, as far as the API sees it."""

    http: httpx.AsyncClient
    call_id: str
    tenant_id: str
    run: str = "1"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        token = AgentPasses.from_text(SECRET).issue(CallId(self.call_id), self.tenant_id, CLOCK.now())  # type: ignore[arg-type]
        self.headers = {"Authorization": f"Bearer {token}", **self.headers}

    async def briefing(self) -> httpx.Response:
        return await self.http.get(f"/internal/v1/calls/{self.call_id}/briefing", headers=self.headers)

    async def send(self, body: Any) -> httpx.Response:
        path = f"/internal/v1/calls/{self.call_id}/reports"
        return await self.http.post(path, content=json.dumps(body), headers=self.headers)

    async def report(self, *reports: dict[str, Any], first: int = 0, **more: Any) -> dict[str, Any]:
        numbered = [{"sequence": first + index, "report": report} for index, report in enumerate(reports)]
        answer = await self.send({"run": self.run, "reports": numbered, **more})
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def said(text: str, *, speaker: str = "user", at: int = 0, segment: str = "s", **more: Any) -> dict[str, Any]:
    line = {"speaker": speaker, "text": text, "started_at_ms": at, "ended_at_ms": at + 500, **more}
    return {"kind": "said", "segment_id": segment, "line": line}


TURN = {
    "kind": "turn_taken",
    "turn": 1,
    "participant_id": None,
    "mode": "balanced",
    "engine": "webrtc",
    "fallback": False,
    "started_at_ms": 0,
    "speech_ended_at_ms": 900,
    "decided_at_ms": 1_300,
    "end_reason": "hang_over",
    "parts": {"hang_over": 0.4},
}


@pytest.fixture
async def call(acme: Customer) -> dict[str, Any]:
    body = {"agent_id": await acme.new_agent(), "participants": [web(), web("listener", role="observer")]}
    answer: dict[str, Any] = (await acme.post("/v1/calls", {**body, "variables": {"name": "Ann"}})).json()
    return answer


@pytest.fixture
def agent(http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]) -> Agent:
    return Agent(http, call["id"], acme.tenant.id)


class TestTheDoor:
    @pytest.mark.parametrize("path", ["briefing", "reports", "runs/1/death"])
    async def test_opens_only_to_the_pass_of_this_call(
        self, path: str, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        passes = AgentPasses.from_text(SECRET)
        another = passes.issue(CallId(NOBODY), acme.tenant.id, CLOCK.now())
        expired = passes.issue(CallId(call["id"]), acme.tenant.id, CLOCK.now() - LIVES - timedelta(seconds=1))
        forged = AgentPasses(b"another key of thirty-two bytes!").issue(CallId(call["id"]), acme.tenant.id, CLOCK.now())
        for token in (None, "", acme.key, another, expired, forged):
            headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
            method = "GET" if path == "briefing" else "POST"
            answer = await http.request(method, f"/internal/v1/calls/{call['id']}/{path}", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "agent_pass_refused")

    async def test_is_in_no_public_document(self, http: httpx.AsyncClient) -> None:
        assert not [path for path in (await http.get("/openapi.json")).json()["paths"] if "internal" in path]


class TestBriefing:
    async def test_tells_the_call_as_it_was_frozen(self, agent: Agent, call: dict[str, Any]) -> None:
        told = (await agent.briefing()).json()
        assert told["room_name"] == call["room_name"]
        assert told["agent"]["name"] == "Aria"
        assert told["variables"] == {"name": "Ann"}
        people = [(p["identity"], p["room_identity"], p["role"], p["transport"]) for p in told["people"]]
        assert people == [
            ("browser-1", "browser-1", "customer", "webrtc"),
            ("listener", "listener", "observer", "webrtc"),
        ]
        assert (told["clock_started_at"], told["said"], told["memory"]) == (None, [], None)

    async def test_names_a_phone_in_the_room_by_its_id(self, http: httpx.AsyncClient, acme: Customer) -> None:
        made = await acme.post("/v1/calls", {"agent_id": await acme.new_agent(), "participants": [phone()]})
        (person,) = (await Agent(http, made.json()["id"], acme.tenant.id).briefing()).json()["people"]
        assert person["room_identity"] == person["participant_id"] == made.json()["participants"][0]["id"]

    async def test_tells_a_successor_what_was_said_and_remembered(self, agent: Agent) -> None:
        started = CLOCK.now()
        await agent.report(
            {"kind": "clock_started", "started_at": started.isoformat()},
            said("Hello", at=100),
            {"kind": "remembered", "memory": {"slot": 1}},
            said("Hi!", speaker="agent", at=900),
            {"kind": "remembered", "memory": {"slot": 2}},
        )
        told = (await agent.briefing()).json()
        assert told["clock_started_at"].replace("Z", "+00:00") == started.isoformat()
        assert [(line["speaker"], line["text"], line["started_at_ms"]) for line in told["said"]] == [
            ("user", "Hello", 100),
            ("agent", "Hi!", 900),
        ]
        assert told["memory"] == {"slot": 2}

    async def test_is_refused_once_the_call_is_over(self, acme: Customer, agent: Agent) -> None:
        await acme.post(f"/v1/calls/{agent.call_id}/end")
        answer = await agent.briefing()
        assert (answer.status_code, answer.json()["code"]) == (409, "call_already_ended")


class TestReports:
    async def test_an_empty_batch_is_a_sign_of_life(self, agent: Agent, database: Database) -> None:
        assert await agent.report() == {"accepted": -1, "over": False, "orders": []}
        async with database.transaction() as tx:
            assert await agent_runs.still_reporting(tx, CallId(agent.call_id), CLOCK.now())
            assert not await agent_runs.still_reporting(
                tx, CallId(agent.call_id), CLOCK.now() + agent_runs.SILENT_AFTER
            )

    async def test_are_kept_once_however_often_they_come(self, acme: Customer, agent: Agent) -> None:
        for _ in range(2):
            answer = await agent.report(said("Hello"), said("Hi", speaker="agent"), TURN)
            assert answer["accepted"] == 2
        assert (await agent.report(TURN, said("And you?"), first=2))["accepted"] == 3
        transcript = (await acme.get(f"/v1/calls/{agent.call_id}/transcript")).json()
        assert [(s["sequence"], s["text"]) for s in transcript["segments"]] == [
            (0, "Hello"),
            (1, "Hi"),
            (2, "And you?"),
        ]

    async def test_of_two_runs_are_numbered_apart_and_kept_together(self, acme: Customer, agent: Agent) -> None:
        await agent.report(said("one"))
        agent.run = "2"
        await agent.report(said("two"))
        transcript = (await acme.get(f"/v1/calls/{agent.call_id}/transcript")).json()
        assert [s["text"] for s in transcript["segments"]] == ["one", "two"]

    async def test_keep_all_of_a_batch_or_nothing(self, acme: Customer, agent: Agent) -> None:
        bad = {"run": "1", "reports": [{"sequence": 0, "report": said("x")}, {"sequence": 1, "report": {"kind": "?"}}]}
        answer = await agent.send(bad)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["details"][0]["field"].startswith("reports.1.report")
        assert (await acme.get(f"/v1/calls/{agent.call_id}/transcript")).status_code == 404

    async def test_lose_a_character_that_cannot_be_stored_and_no_more(self, acme: Customer, agent: Agent) -> None:
        await agent.report(said("a\0b \ud800c"), {"kind": "remembered", "memory": {"k\0": ["\0"]}})
        transcript = (await acme.get(f"/v1/calls/{agent.call_id}/transcript")).json()
        assert transcript["segments"][0]["text"] == "ab ?c"

    @pytest.mark.parametrize("body", [b"{", b"[]", b"5", b'{"run": "a b"}', b"[" * 100_000])
    async def test_that_are_none_are_refused(self, agent: Agent, body: bytes) -> None:
        path = f"/internal/v1/calls/{agent.call_id}/reports"
        answer = await agent.http.post(path, content=body, headers=agent.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    async def test_beyond_all_measure_are_refused(self, agent: Agent) -> None:
        path = f"/internal/v1/calls/{agent.call_id}/reports"
        answer = await agent.http.post(path, content=b" " * 9_000_000, headers=agent.headers)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")

    async def test_are_kept_also_after_the_call(self, acme: Customer, agent: Agent) -> None:
        await acme.post(f"/v1/calls/{agent.call_id}/end")
        answer = await agent.report(said("Goodbye", speaker="agent"), closing=True)
        assert answer["over"] is True
        assert "Agent: Goodbye" in (await acme.get(f"/v1/calls/{agent.call_id}/transcript")).json()["text"]

    async def test_of_a_call_that_is_over_let_what_waits_for_them_go_on(
        self, acme: Customer, agent: Agent, database: Database
    ) -> None:
        async def told() -> int:
            closed = sa.text("select count(*) from bullmq.job where name = 'AgentClosed' and data->>'call_id' = :call")
            async with database.transaction() as tx:
                return int((await tx.execute(closed, {"call": agent.call_id})).scalar_one())

        await acme.post(f"/v1/calls/{agent.call_id}/end")
        await agent.report(said("Goodbye", speaker="agent"))
        assert await told() == 0
        await agent.report(closing=True)
        await agent.report(closing=True)
        assert await told() == 1

    async def test_end_with_the_run_s_own_word(self, agent: Agent, database: Database) -> None:
        await agent.report(closing=True)
        async with database.transaction() as tx:
            assert not await agent_runs.still_reporting(tx, CallId(agent.call_id), CLOCK.now())

    async def test_tell_events_turns_keys_and_segments(self, acme: Customer, agent: Agent, database: Database) -> None:
        await agent.report(
            {"kind": "happened", "level": "warning", "message": "A variable is missing: name"},
            {"kind": "keys_pressed", "participant_id": NOBODY, "digits": "12#"},
            {**TURN, "participant_id": "not an id", "decided_at_ms": 10**12},
            {"kind": "segment_recorded", "key": "r/1.wav", "started_at_ms": 0, "duration_ms": 900},
        )
        events = (await acme.get(f"/v1/calls/{agent.call_id}/events")).json()["events"]
        assert [(e["level"], e["source"], e["message"]) for e in events[1:]] == [
            ("warning", "livekit", "A variable is missing: name"),
            ("info", "telephony", "Keys pressed: 12#"),
        ]
        async with database.transaction() as tx:
            (turn,) = await turns.of_call(tx, CallId(agent.call_id))
            (segment,) = await segments.of_call(tx, CallId(agent.call_id))
        assert (turn["engine"], turn["participant_id"], turn["decided_at_ms"]) == ("webrtc", None, 2**31 - 1)
        assert (segment.key, segment.duration_ms) == ("r/1.wav", 900)

    async def test_start_the_clock_once(self, agent: Agent, database: Database) -> None:
        first, later = CLOCK.now() - timedelta(seconds=9), CLOCK.now()
        for index, moment in enumerate((first, later)):
            await agent.report({"kind": "clock_started", "started_at": moment.isoformat()}, first=index)
        assert (await agent.briefing()).json()["clock_started_at"].replace("Z", "+00:00") == first.isoformat()

    async def test_that_are_only_of_the_moment_leave_nothing(self, acme: Customer, agent: Agent) -> None:
        draft = {**said("Hel" * 4_000), "kind": "drafted"}
        speaking = {"kind": "speaking", "participant_id": None, "speaking": True, "at_ms": 5}
        state = {"kind": "agent_state", "state": "thinking", "at_ms": 5}
        assert (await agent.report(draft, speaking, state))["accepted"] == 2
        assert (await acme.get(f"/v1/calls/{agent.call_id}/transcript")).status_code == 404

    async def test_end_the_call_for_the_agent_s_reason(self, acme: Customer, agent: Agent, database: Database) -> None:
        await everybody_joins(database, agent.call_id)
        answer = await agent.report({"kind": "end_wanted", "reason": "silence"})
        assert answer["over"] is True
        call = (await acme.get(f"/v1/calls/{agent.call_id}")).json()
        assert (call["status"], call["end_reason"]) == ("completed", "silence")

    async def test_put_a_phone_that_opts_out_on_the_list(
        self, http: httpx.AsyncClient, acme: Customer, database: Database
    ) -> None:
        body = {"agent_id": await acme.new_agent(), "participants": [phone("+15551230000"), web()]}
        made = (await acme.post("/v1/calls", body)).json()
        agent = Agent(http, made["id"], acme.tenant.id)
        outs = [{"kind": "opted_out", "participant_id": p["id"]} for p in made["participants"]]
        await agent.report(*outs, {"kind": "opted_out", "participant_id": "nobody"})
        async with database.transaction() as tx:
            assert await listed(tx, acme.tenant.id, ["+15551230000"]) == {"+15551230000"}

    @pytest.mark.parametrize(
        ("others", "kind"), [([], "say_and_end"), ([web()], "say")], ids=["who is alone", "who is not"]
    )
    async def test_put_a_phone_that_presses_the_key_on_the_list_and_tell_it_so(
        self,
        http: httpx.AsyncClient,
        acme: Customer,
        database: Database,
        others: list[dict[str, Any]],
        kind: str,
    ) -> None:
        agent_id = await acme.new_agent(advanced={"optOutKey": "9"})
        body = {"agent_id": agent_id, "participants": [phone("+15551230000"), *others]}
        made = (await acme.post("/v1/calls", body)).json()
        agent, who = Agent(http, made["id"], acme.tenant.id), made["participants"][0]["id"]

        def pressed(digits: str) -> dict[str, Any]:
            return {"kind": "keys_pressed", "participant_id": who, "digits": digits}

        assert (await agent.report(pressed("1")))["orders"] == []
        for first in (1, 2):
            told = await agent.report(pressed("9"), first=first)
        assert [order["kind"] for order in told["orders"]] == [kind]
        async with database.transaction() as tx:
            assert await listed(tx, acme.tenant.id, ["+15551230000"]) == {"+15551230000"}

    @pytest.mark.parametrize(
        ("key", "digits", "opts_out"),
        [
            ("9", "9#", True),
            ("9", "99", True),
            ("9", "5550199", False),
            ("#", "#", True),
            ("#", "1234#", False),
            ("*", "*", True),
        ],
    )
    async def test_take_the_key_for_an_opt_out_only_where_it_is_pressed_alone(
        self, http: httpx.AsyncClient, acme: Customer, database: Database, key: str, digits: str, opts_out: bool
    ) -> None:
        agent_id = await acme.new_agent(advanced={"optOutKey": key})
        body = {"agent_id": agent_id, "participants": [phone("+15551230000")]}
        made = (await acme.post("/v1/calls", body)).json()
        agent, who = Agent(http, made["id"], acme.tenant.id), made["participants"][0]["id"]
        await agent.report({"kind": "keys_pressed", "participant_id": who, "digits": digits})
        async with database.transaction() as tx:
            assert bool(await listed(tx, acme.tenant.id, ["+15551230000"])) is opts_out


class TestOrders:
    async def test_are_told_until_they_are_carried_out(self, acme: Customer, agent: Agent, database: Database) -> None:
        async with database.transaction() as tx:
            await agent_orders.give(tx, CallId(agent.call_id), "say", CLOCK.now(), text="One moment")
        for _ in range(2):
            (order,) = (await agent.report())["orders"]
            assert (order["number"], order["kind"], order["text"]) == (1, "say", "One moment")
        assert (await agent.report(obeyed=1))["orders"] == []
        assert (await agent.report())["orders"] == []

    async def test_that_a_predecessor_has_carried_out_are_not_told_to_its_successor(
        self, acme: Customer, agent: Agent, database: Database
    ) -> None:
        call_id = CallId(agent.call_id)
        async with database.transaction() as tx:
            await agent_orders.give(tx, call_id, "say", CLOCK.now(), text="One")
            await agent_orders.give(tx, call_id, "say", CLOCK.now(), text="Two")
        await agent.report(obeyed=1)
        async with database.transaction() as tx:
            await store.lock(tx, acme.tenant.id, call_id)
            await agent_runs.begin(tx, call_id, 2, ParticipantId(new_uuid()), CLOCK.now())
        agent.run = "2"
        assert [order["text"] for order in (await agent.report())["orders"]] == ["Two"]

    async def test_a_lost_run_is_told_to_leave(self, agent: Agent, database: Database) -> None:
        await agent.report()
        async with database.transaction() as tx:
            (run,) = await agent_runs.of_call(tx, CallId(agent.call_id))
            await agent_runs.change(tx, run, lost_at=CLOCK.now())
        answer = await agent.report({"kind": "end_wanted", "reason": "silence"}, said("late"))
        assert (answer["over"], answer["accepted"]) == (True, 1)
        assert (await agent.briefing()).status_code == 200

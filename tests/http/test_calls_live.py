"""Looking at a call, widening it, ending it."""

from typing import Any

import pytest
from tests.support.asking import NOBODY, Customer, phone, web
from tests.support.calling import everybody_joins, jobs_in, say

from rymi_server.foundation.database import Database


@pytest.fixture
async def call(acme: Customer) -> dict[str, Any]:
    body = {"agent_id": await acme.new_agent(), "participants": [web()], "variables": {"a": 1}}
    answer: dict[str, Any] = (await acme.post("/v1/calls", body)).json()
    return answer


class TestCallDetail:
    async def test_tells_everything_that_is_known(self, acme: Customer, call: dict[str, Any]) -> None:
        detail = (await acme.get(f"/v1/calls/{call['id']}")).json()
        assert detail["status"] == "connecting"
        assert detail["variables"] == {"a": 1}
        assert (detail["transcript"], detail["recording"], detail["intelligence"]) == (None, None, None)
        (person,) = detail["participants"]
        assert (person["role"], person["status"], person["call_id"]) == ("customer", "joining", call["id"])
        (event,) = detail["events"]
        assert (event["level"], event["source"], event["message"]) == ("info", "lifecycle", "Call created")

    async def test_shows_the_leg_of_a_phone(self, acme: Customer) -> None:
        body = {"agent_id": await acme.new_agent(), "participants": [phone("+15551234567")]}
        made = (await acme.post("/v1/calls", body)).json()
        (person,) = (await acme.get(f"/v1/calls/{made['id']}")).json()["participants"]
        leg = person["telephony_leg"]
        assert leg["id"] == made["participants"][0]["telephony_leg_id"]
        assert (leg["direction"], leg["status"], leg["to_number"]) == ("outbound", "queued", "+15551234567")

    async def test_shows_what_was_said(self, acme: Customer, database: Database, call: dict[str, Any]) -> None:
        await say(database, call["id"], ("user", "browser-1", "Hello"), ("agent", None, "Hi there, how can I help?"))
        transcript = (await acme.get(f"/v1/calls/{call['id']}")).json()["transcript"]
        assert transcript["text"] == "Caller: Hello\nAgent: Hi there, how can I help?"
        assert transcript["raw"][0]["type"] == "user_input"
        assert transcript["segments"][1]["speaker"] == "agent"

    @pytest.mark.parametrize("unknown", [NOBODY, "call_abc123", "x" * 300])
    async def test_answers_404_to_an_unknown_id(self, acme: Customer, unknown: str) -> None:
        answer = await acme.get(f"/v1/calls/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_does_not_exist_for_another_tenant(self, rival: Customer, call: dict[str, Any]) -> None:
        assert (await rival.get(f"/v1/calls/{call['id']}")).status_code == 404


class TestAddingParticipants:
    async def test_invites_a_browser(self, acme: Customer, call: dict[str, Any]) -> None:
        answer = await acme.post(f"/v1/calls/{call['id']}/participants", {"participants": [web("browser-tab-2")]})
        assert answer.status_code == 201, answer.text
        (person,) = answer.json()["participants"]
        assert (person["identity"], person["status"]) == ("browser-tab-2", "joining")
        assert person["access"]["token"]
        assert answer.json()["id"] == call["id"]

    async def test_queues_a_phone(self, acme: Customer, database: Database, call: dict[str, Any]) -> None:
        answer = await acme.post(f"/v1/calls/{call['id']}/participants", {"participants": [phone()]})
        assert answer.status_code == 202, answer.text
        assert await jobs_in(database, "dial") == [answer.json()["participants"][0]["job_id"]]

    async def test_refuses_an_identity_that_is_in_the_call(self, acme: Customer, call: dict[str, Any]) -> None:
        answer = await acme.post(f"/v1/calls/{call['id']}/participants", {"participants": [web("browser-1")]})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    async def test_refuses_a_listed_number(self, acme: Customer, call: dict[str, Any]) -> None:
        await acme.post("/v1/dnc", {"phone_number": "+15550009999"})
        body = {"participants": [phone("+15550009999")]}
        assert (await acme.post(f"/v1/calls/{call['id']}/participants", body)).status_code == 409

    async def test_refuses_a_call_that_is_over(self, acme: Customer, call: dict[str, Any]) -> None:
        await acme.post(f"/v1/calls/{call['id']}/end")
        answer = await acme.post(f"/v1/calls/{call['id']}/participants", {"participants": [web("late")]})
        assert (answer.status_code, answer.json()["code"]) == (409, "call_already_ended")

    async def test_does_not_find_another_tenant_s_call(self, rival: Customer, call: dict[str, Any]) -> None:
        answer = await rival.post(f"/v1/calls/{call['id']}/participants", {"participants": [web("spy")]})
        assert answer.status_code == 404


class TestEndingACall:
    async def test_completes_it_for_everybody(self, acme: Customer, database: Database, call: dict[str, Any]) -> None:
        await everybody_joins(database, call["id"])
        answer = await acme.post(f"/v1/calls/{call['id']}/end")
        assert answer.status_code == 200
        assert answer.json() == {"status": "ended", "id": call["id"], "message": "Call has been terminated."}
        detail = (await acme.get(f"/v1/calls/{call['id']}")).json()
        assert (detail["status"], detail["end_reason"]) == ("completed", "ended_by_api")
        assert detail["ended_at"] is not None
        assert [(p["status"], p["leave_reason"]) for p in detail["participants"]] == [("left", "call_ended")]
        assert [event["message"] for event in detail["events"]] == ["Call created", "Call ended"]

    async def test_answers_409_the_second_time(self, acme: Customer, call: dict[str, Any]) -> None:
        await acme.post(f"/v1/calls/{call['id']}/end")
        answer = await acme.post(f"/v1/calls/{call['id']}/end")
        assert (answer.status_code, answer.json()["code"]) == (409, "call_already_ended")

    async def test_does_not_end_another_tenant_s(self, acme: Customer, rival: Customer, call: dict[str, Any]) -> None:
        assert (await rival.post(f"/v1/calls/{call['id']}/end")).status_code == 404
        assert (await acme.get(f"/v1/calls/{call['id']}")).json()["status"] == "connecting"

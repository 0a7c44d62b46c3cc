"""`/v1/numbers`."""

import asyncio
from urllib.parse import quote

import pytest
from tests.support.asking import Customer

NUMBER = "+15551234567"
STRANGER = "01936f0e-7c1a-7e3c-9d53-6a1f2b3c4d5e"


async def registered(customer: Customer) -> list[dict[str, object]]:
    listed = (await customer.get("/v1/numbers")).json()
    numbers: list[dict[str, object]] = listed["numbers"]
    return numbers


class TestRegistering:
    async def test_answers_201_and_lists_the_number(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        answer = await acme.post("/v1/numbers", {"number": "+1 (555) 123-4567", "agent_id": agent})
        assert answer.status_code == 201
        assert answer.json() == {"status": "registered", "number": NUMBER, "agent_id": agent}
        page = (await acme.get("/v1/numbers")).json()
        (listed,) = page.pop("numbers")
        assert page == {"total": 1, "offset": 0, "limit": 50}
        assert listed.pop("id").startswith("num_")
        assert listed.pop("created_at").endswith("Z")
        expected = {"number": NUMBER, "phone_number": NUMBER, "provider": None, "agent_id": agent, "status": "active"}
        expected |= {"webhook_status": "no_carrier", "webhook_error": None}
        assert listed == expected

    async def test_needs_no_agent(self, acme: Customer) -> None:
        answer = await acme.post("/v1/numbers", {"number": NUMBER, "agent_id": None})
        assert (answer.status_code, answer.json()["agent_id"]) == (201, None)

    async def test_again_answers_200_and_changes_the_agent_only_when_one_is_given(self, acme: Customer) -> None:
        first, second = await acme.new_agent(), await acme.new_agent()
        await acme.post("/v1/numbers", {"number": NUMBER, "agent_id": first})
        same = await acme.post("/v1/numbers", {"number": NUMBER})
        assert (same.status_code, same.json()["agent_id"]) == (200, first)
        other = await acme.post("/v1/numbers", {"number": NUMBER, "agent_id": second})
        assert (other.status_code, other.json()["agent_id"]) == (200, second)

    async def test_is_refused_for_a_number_of_another_account(self, acme: Customer, rival: Customer) -> None:
        await rival.post("/v1/numbers", {"number": NUMBER})
        answer = await acme.post("/v1/numbers", {"number": NUMBER})
        assert (answer.status_code, answer.json()["code"]) == (409, "number_taken")
        assert await registered(acme) == []

    @pytest.mark.parametrize("number", ["", "555", "hello", "5551234567", "+1555", "+" + "1" * 60])
    async def test_refuses_what_is_no_number(self, acme: Customer, number: str) -> None:
        answer = await acme.post("/v1/numbers", {"number": number})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "number")

    async def test_refuses_an_agent_of_nobody_or_of_another_account(self, acme: Customer, rival: Customer) -> None:
        for agent in (STRANGER, await rival.new_agent()):
            answer = await acme.post("/v1/numbers", {"number": NUMBER, "agent_id": agent})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert await registered(acme) == []

    async def test_of_one_number_by_two_accounts_at_once_gives_it_to_one(self, acme: Customer, rival: Customer) -> None:
        answers = await asyncio.gather(*(each.post("/v1/numbers", {"number": NUMBER}) for each in (acme, rival) * 4))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200, 200, 200, 201, 409, 409, 409, 409]
        assert len(await registered(acme)) + len(await registered(rival)) == 1

    async def test_while_the_number_is_being_removed_ends_well(self, acme: Customer, rival: Customer) -> None:
        asked = [
            each
            for owner in (acme, rival) * 8
            for each in (owner.post("/v1/numbers", {"number": NUMBER}), owner.ask("DELETE", f"/v1/numbers/{NUMBER}"))
        ]
        statuses = {answer.status_code for answer in await asyncio.gather(*asked)}
        assert statuses <= {200, 201, 404, 409}


class TestAttaching:
    @pytest.mark.parametrize("written", [NUMBER, "%2B15551234567", quote("+1 (555) 123-4567", safe="+")])
    async def test_gives_the_number_to_the_agent(self, acme: Customer, written: str) -> None:
        agent = await acme.new_agent()
        await acme.post("/v1/numbers", {"number": NUMBER})
        answer = await acme.post(f"/v1/numbers/{written}/attach", {"agent_id": agent})
        assert answer.status_code == 200
        assert answer.json() == {"status": "attached", "number": NUMBER, "agent_id": agent}
        assert (await registered(acme))[0]["agent_id"] == agent

    async def test_is_refused_where_the_number_or_the_agent_is_not_ours(self, acme: Customer, rival: Customer) -> None:
        mine, theirs = await acme.new_agent(), await rival.new_agent()
        await acme.post("/v1/numbers", {"number": NUMBER})
        await rival.post("/v1/numbers", {"number": "+15557654321"})
        for number, agent in ((NUMBER, theirs), (NUMBER, STRANGER), ("+15557654321", mine), ("+15550000000", mine)):
            answer = await acme.post(f"/v1/numbers/{number}/attach", {"agent_id": agent})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await registered(acme))[0]["agent_id"] is None
        assert (await registered(rival))[0]["agent_id"] is None

    async def test_needs_a_number_in_the_path_and_an_agent_in_the_body(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        no_number = await acme.post("/v1/numbers/hello/attach", {"agent_id": agent})
        assert (no_number.status_code, no_number.json()["details"][0]["field"]) == (400, "number")
        for body in ({}, {"agent_id": None}, {"agent_id": "an-agent"}):
            no_agent = await acme.post(f"/v1/numbers/{NUMBER}/attach", body)
            assert (no_agent.status_code, no_agent.json()["details"][0]["field"]) == (400, "agent_id")

    async def test_ends_when_the_agent_is_deleted(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        await acme.post("/v1/numbers", {"number": NUMBER, "agent_id": agent})
        await acme.ask("DELETE", f"/v1/agents/{agent}")
        assert (await registered(acme))[0]["agent_id"] is None


class TestRemoving:
    async def test_frees_the_number_for_everybody(self, acme: Customer, rival: Customer) -> None:
        await acme.post("/v1/numbers", {"number": NUMBER})
        answer = await acme.ask("DELETE", "/v1/numbers/%2B15551234567")
        assert (answer.status_code, answer.json()) == (200, {"status": "removed", "number": NUMBER})
        assert (await rival.post("/v1/numbers", {"number": NUMBER})).status_code == 201

    async def test_finds_no_number_of_another_account(self, acme: Customer, rival: Customer) -> None:
        await rival.post("/v1/numbers", {"number": NUMBER})
        answer = await acme.ask("DELETE", f"/v1/numbers/{NUMBER}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert len(await registered(rival)) == 1

    async def test_refuses_what_is_no_number(self, acme: Customer) -> None:
        assert (await acme.ask("DELETE", "/v1/numbers/hello")).status_code == 400


class TestListing:
    async def test_shows_the_window_that_is_asked_for(self, acme: Customer) -> None:
        for digit in range(3):
            await acme.post("/v1/numbers", {"number": f"+1555123450{digit}"})
        page = (await acme.get("/v1/numbers?limit=1&offset=1")).json()
        assert [each["number"] for each in page["numbers"]] == ["+15551234501"]
        assert (page["total"], page["offset"], page["limit"]) == (3, 1, 1)

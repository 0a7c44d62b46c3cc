"""`GET /v1/calls`, `GET /v1/calls/active` and the calls of an agent."""

import pytest
from tests.support.asking import Customer, phone, web
from tests.support.calling import everybody_joins

from rymi_server.calls import tally
from rymi_server.foundation.database import Database


class TestListingCalls:
    async def test_shows_the_newest_first_as_documented(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        first, second = await _calls(acme, agent, 2)
        page = (await acme.get("/v1/calls")).json()
        assert [call["id"] for call in page["calls"]] == [second, first]
        assert (page["total"], page["limit"], page["offset"], page["next_cursor"]) == (2, 200, 0, None)
        call = page["calls"][0]
        assert call["room_name"] == f"call_{second}"
        assert call["agent_id"] == agent
        assert call["status"] == "connecting"
        assert call["intelligence_status"] == "not_started"
        assert call["participant_count"] == 1
        assert call["primary_participant"] == {"identity": "browser-1", "transport": "webrtc"}
        assert call["metadata"] == {}
        assert (call["started_at"], call["ended_at"], call["bill_duration"], call["total_cost"]) == (None,) * 4

    async def test_counts_people_and_names_the_first(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        people = [phone("+15551112222"), web("listener")]
        await acme.post("/v1/calls", {"agent_id": agent, "participants": people})
        (call,) = (await acme.get("/v1/calls")).json()["calls"]
        assert call["participant_count"] == 2
        assert call["primary_participant"] == {"identity": "+15551112222", "transport": "pstn"}

    async def test_goes_on_from_a_cursor(self, acme: Customer) -> None:
        made = await _calls(acme, await acme.new_agent(), 5)
        seen, cursor = [], None
        for expected in (2, 2, 1):
            query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = (await acme.get("/v1/calls", params=query)).json()
            assert len(page["calls"]) == expected
            assert page["total"] == 5
            seen += [call["id"] for call in page["calls"]]
            cursor = page["next_cursor"]
        assert cursor is None
        assert seen == made[::-1]

    async def test_skips_by_offset(self, acme: Customer) -> None:
        made = await _calls(acme, await acme.new_agent(), 3)
        page = (await acme.get("/v1/calls?limit=1&offset=1")).json()
        assert [call["id"] for call in page["calls"]] == [made[1]]
        assert page["offset"] == 1

    async def test_filters_by_status_with_the_right_total(self, acme: Customer, database: Database) -> None:
        made = await _calls(acme, await acme.new_agent(), 3)
        await acme.post(f"/v1/calls/{made[0]}/end")
        done = (await acme.get("/v1/calls?status=completed")).json()
        assert [call["id"] for call in done["calls"]] == [made[0]]
        assert done["total"] == 1
        assert (await acme.get("/v1/calls?status=connecting")).json()["total"] == 2
        assert (await acme.get("/v1/calls?status=queued")).json()["total"] == 0
        async with database.transaction() as tx:
            await tally.fold(tx)
        assert (await acme.get("/v1/calls?status=completed")).json()["total"] == 1
        assert (await acme.get("/v1/calls")).json()["total"] == 3

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=201", "limit=x", "offset=-1", "status=over", "cursor=nonsense"]
    )
    async def test_refuses_what_makes_no_sense(self, acme: Customer, query: str) -> None:
        answer = await acme.get(f"/v1/calls?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

    async def test_refuses_a_cursor_with_an_offset(self, acme: Customer) -> None:
        (call,) = await _calls(acme, await acme.new_agent(), 1)
        assert (await acme.get(f"/v1/calls?cursor={call}&offset=1")).status_code == 400

    async def test_does_not_show_another_tenant_s(self, acme: Customer, rival: Customer) -> None:
        await _calls(acme, await acme.new_agent(), 1)
        page = (await rival.get("/v1/calls")).json()
        assert (page["calls"], page["total"]) == ([], 0)


class TestListingActiveCalls:
    async def test_shows_only_those_in_progress(self, acme: Customer, database: Database) -> None:
        made = await _calls(acme, await acme.new_agent(), 2)
        await everybody_joins(database, made[0])
        page = (await acme.get("/v1/calls/active")).json()
        assert [call["id"] for call in page["calls"]] == [made[0]]
        assert page["total"] == 1
        assert page["calls"][0]["status"] == "in_progress"


class TestTheCallsOfAnAgent:
    async def test_are_its_own(self, acme: Customer) -> None:
        one, other = await acme.new_agent(), await acme.new_agent()
        made = await _calls(acme, one, 2)
        await _calls(acme, other, 1)
        page = (await acme.get(f"/v1/agents/{one}/calls")).json()
        assert [call["id"] for call in page["calls"]] == made[::-1]
        assert (page["total"], page["limit"], page["agent_id"]) == (2, 50, one)


async def _calls(customer: Customer, agent: str, how_many: int) -> list[str]:
    """Oldest first."""
    body = {"agent_id": agent, "participants": [web()]}
    return [(await customer.post("/v1/calls", body)).json()["id"] for _ in range(how_many)]

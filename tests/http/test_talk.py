"""The talk page, and what its links open."""

from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from tests.support.asking import CLOCK, SECRET, Customer

from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import AgentId, TenantId
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.http.talk.passes import INVITATION_LIVES, TALK_LIVES, TalkPass, talk_pass, talk_url
from rymi_server.tenants import store as tenants

PEPPER = pepper_from_text(SECRET)
ME = {"name": "Anna"}


def with_pass(customer: Customer, agent: str | None = None, **ago: float) -> Customer:
    opens = TalkPass(customer.tenant.id, AgentId(agent) if agent else None)
    given = talk_pass(PEPPER, opens, CLOCK.now() - timedelta(**ago))
    return Customer(customer.http, customer.tenant, given)


def invited(customer: Customer, invitation: str) -> Customer:
    return Customer(customer.http, customer.tenant, invitation)


async def begun(customer: Customer) -> tuple[Customer, dict[str, Any]]:
    """Somebody with a pass, in a call."""
    agent = await customer.new_agent()
    talker = with_pass(customer)
    answer = await talker.post("/talk/calls", {"agent_id": agent, **ME})
    assert answer.status_code == 201, answer.text
    return talker, answer.json()


def identity_in(joined: dict[str, Any]) -> str:
    claims = jwt.decode(joined["participant"]["access"]["token"], options={"verify_signature": False})
    identity: str = claims["sub"]
    return identity


class TestThePage:
    async def test_is_there_for_everybody_and_hardened(self, http: httpx.AsyncClient) -> None:
        answer = await http.get("/talk")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer"

    @pytest.mark.parametrize(
        "name", ["nothing.js", "..%2Froutes.py", "%2e%2e", "routes.py", ".", "index", "%2Fetc%2Fpasswd", "a%00.js"]
    )
    async def test_serves_nothing_but_its_files(self, name: str, http: httpx.AsyncClient) -> None:
        assert (await http.get(f"/talk/site/{name}")).status_code in (400, 404)

    async def test_is_sent_again_only_where_it_has_changed(self, http: httpx.AsyncClient) -> None:
        first = await http.get("/talk/site/rymi.js")
        assert first.headers["content-type"].startswith("text/javascript")
        again = await http.get("/talk/site/rymi.js", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        changed = await http.get("/talk/site/rymi.js", headers={"If-None-Match": '"another"'})
        assert changed.content == first.content

    def test_has_its_credential_where_no_server_sees_it(self) -> None:
        assert talk_url("http://localhost:8000/", "abc") == "http://localhost:8000/talk#abc"


class TestAPass:
    async def test_shows_the_tenants_agents_and_nobody_elses(self, acme: Customer, rival: Customer) -> None:
        mine = await acme.new_agent(name="Mia", persona={"role": "Receptionist", "companyName": "Harbour Dental"})
        await rival.new_agent(name="Other")
        answer = await with_pass(acme).get("/talk/agents")
        about = "Receptionist · Harbour Dental"
        assert answer.json() == {"agents": [{"id": mine, "name": "Mia", "about": about, "demo": True}]}

    async def test_tells_real_engines_from_demo_ones(self, acme: Customer) -> None:
        await acme.new_agent(stt_provider="deepgram", tts_provider="elevenlabs", llm_provider="openai")
        (agent,) = (await with_pass(acme).get("/talk/agents")).json()["agents"]
        assert agent["demo"] is False

    async def test_opens_a_call_with_the_agent_that_was_picked(self, acme: Customer) -> None:
        _, joined = await begun(acme)
        assert identity_in(joined).startswith("Anna ")
        call = (await acme.get(f"/v1/calls/{joined['call_id']}")).json()
        assert call["metadata"] == {"source": "talk"}

    async def test_does_not_open_a_call_with_another_tenants_agent(self, acme: Customer, rival: Customer) -> None:
        theirs = await rival.new_agent()
        answer = await with_pass(acme).post("/talk/calls", {"agent_id": theirs, **ME})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    async def test_for_one_agent_opens_no_other(self, acme: Customer) -> None:
        mia, other = await acme.new_agent(name="Mia"), await acme.new_agent(name="Other")
        talker = with_pass(acme, mia)
        assert [each["name"] for each in (await talker.get("/talk/agents")).json()["agents"]] == ["Mia"]
        assert (await talker.post("/talk/calls", {"agent_id": mia, **ME})).status_code == 201
        answer = await talker.post("/talk/calls", {"agent_id": other, **ME})
        assert (answer.status_code, answer.json()["code"]) == (403, "publishable_key_scope")

    async def test_passes_the_gates_of_every_call(self, acme: Customer, database: Database) -> None:
        agent = await acme.new_agent()
        async with database.transaction() as tx:
            await tenants.pause(tx, acme.tenant.id, "unpaid", CLOCK.now())
        answer = await with_pass(acme).post("/talk/calls", {"agent_id": agent, **ME})
        assert (answer.status_code, answer.json()["code"]) == (403, "tenant_paused")

    async def test_works_until_its_time_is_over(self, acme: Customer) -> None:
        left = TALK_LIVES.total_seconds() - 60
        assert (await with_pass(acme, seconds=left).get("/talk/agents")).status_code == 200
        answer = await with_pass(acme, seconds=left + 120).get("/talk/agents")
        assert (answer.status_code, answer.json()["code"]) == (401, "pass_refused")

    @pytest.mark.parametrize("given", ["", "nonsense", "a.b.c", "x" * 700])
    async def test_that_is_none_of_ours_is_refused(self, given: str, acme: Customer) -> None:
        answer = await Customer(acme.http, acme.tenant, given).get("/talk/agents")
        assert (answer.status_code, answer.json()["code"]) == (401, "pass_refused")

    async def test_of_another_signer_or_without_a_signature_is_refused(self, acme: Customer) -> None:
        claims = {"aud": "rymi-talk", "sub": acme.tenant.id, "exp": int(CLOCK.now().timestamp()) + 60}
        forged = talk_pass(pepper_from_text("another secret of enough length"), TalkPass(acme.tenant.id), CLOCK.now())
        for given in (forged, jwt.encode(claims, key=None, algorithm="none"), jwt.encode(claims, "k" * 32)):
            answer = await Customer(acme.http, acme.tenant, given).get("/talk/agents")
            assert answer.json()["code"] == "pass_refused"

    async def test_opens_nothing_of_the_api(self, acme: Customer) -> None:
        for path in ("/v1/calls", "/v1/agents"):
            assert (await with_pass(acme).get(path)).status_code == 401

    async def test_of_a_tenant_that_is_gone_is_refused(self, acme: Customer) -> None:
        given = talk_pass(PEPPER, TalkPass(TenantId("00000000-0000-7000-8000-000000000000")), CLOCK.now())
        answer = await Customer(acme.http, acme.tenant, given).get("/talk/agents")
        assert (answer.status_code, answer.json()["code"]) == (401, "pass_refused")

    async def test_needs_a_name_and_an_agent(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        for body in ({}, ME, {"agent_id": agent}, {"agent_id": "x", **ME}, {"agent_id": agent, "name": ""}):
            answer = await with_pass(acme).post("/talk/calls", body)
            assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


class TestAPublishableKey:
    async def test_shows_its_one_agent_and_calls_no_other(self, acme: Customer) -> None:
        agent, other = await acme.new_agent(name="Mia"), await acme.new_agent(name="Other")
        key = await acme.new_publishable_key(agent)
        assert [each["id"] for each in (await key.get("/talk/agents")).json()["agents"]] == [agent]
        assert (await key.post("/talk/calls", {"agent_id": agent, **ME})).status_code == 201
        refused = await key.post("/talk/calls", {"agent_id": other, **ME})
        assert (refused.status_code, refused.json()["code"]) == (403, "publishable_key_scope")

    async def test_for_phones_only_is_refused(self, acme: Customer) -> None:
        key = await acme.new_publishable_key(await acme.new_agent(), allowed_channels=["phone"])
        assert (await key.get("/talk/agents")).json()["code"] == "publishable_key_scope"

    async def test_that_is_secret_is_no_pass(self, acme: Customer) -> None:
        assert (await acme.get("/talk/agents")).json()["code"] == "pass_refused"


class TestAnInvitation:
    async def test_lets_somebody_else_into_the_same_call(self, acme: Customer) -> None:
        _, joined = await begun(acme)
        answer = await invited(acme, joined["invitation"]).post("/talk/joins", {"name": "Anna"})
        assert answer.status_code == 201, answer.text
        assert answer.json()["call_id"] == joined["call_id"]
        assert identity_in(answer.json()) != identity_in(joined)

    async def test_is_passed_on_by_who_came_with_one(self, acme: Customer) -> None:
        _, joined = await begun(acme)
        second = (await invited(acme, joined["invitation"]).post("/talk/joins", {"name": "Ben"})).json()
        third = await invited(acme, second["invitation"]).post("/talk/joins", {"name": "Cleo"})
        assert third.status_code == 201

    async def test_opens_no_other_call_and_lists_no_agents(self, acme: Customer) -> None:
        _, joined = await begun(acme)
        guest = invited(acme, joined["invitation"])
        assert (await guest.get("/talk/agents")).json()["code"] == "pass_refused"
        body = {"agent_id": joined["agent"]["id"], **ME}
        assert (await guest.post("/talk/calls", body)).json()["code"] == "pass_refused"

    async def test_is_not_a_pass_nor_a_key(self, acme: Customer) -> None:
        key = await acme.new_publishable_key(await acme.new_agent())
        for other in (with_pass(acme), key, acme):
            assert (await other.post("/talk/joins", ME)).json()["code"] == "pass_refused"

    async def test_ends_with_the_call(self, acme: Customer) -> None:
        _, joined = await begun(acme)
        await acme.post(f"/v1/calls/{joined['call_id']}/end")
        answer = await invited(acme, joined["invitation"]).post("/talk/joins", {"name": "Ben"})
        assert (answer.status_code, answer.json()["code"]) == (409, "call_already_ended")

    async def test_ends_with_its_time(self) -> None:
        assert timedelta(hours=6) >= INVITATION_LIVES

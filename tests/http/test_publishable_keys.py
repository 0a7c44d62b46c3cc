"""`/v1/keys/publishable`."""

from typing import Any

import pytest
from tests.support.asking import Customer, web

KEYS = "/v1/keys/publishable"
STRANGER = "01936f0e-7c1a-7e3c-9d53-6a1f2b3c4d5e"


async def listed(customer: Customer) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (await customer.get(KEYS)).json()["keys"]
    return keys


class TestCreating:
    async def test_shows_the_key_once_with_its_defaults(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        answer = await acme.post(KEYS, {"agent_id": agent, "label": "page"})
        assert answer.status_code == 201
        key = answer.json()
        plaintext = key.pop("key")
        assert plaintext.startswith("sb_publishable_")
        (shown,) = await listed(acme)
        assert shown.pop("last_used_at") is None
        assert shown == key
        assert key.pop("id").startswith("key_")
        assert key.pop("created_at").endswith("Z")
        assert key == {
            "key_prefix": plaintext[:20],
            "agent_id": agent,
            "label": "page",
            "allowed_channels": ["web"],
            "audience": "sdk",
            "default_from_number": None,
        }

    async def test_takes_channels_audience_and_caller_id(self, acme: Customer) -> None:
        wanted = {"allowed_channels": ["phone", "web"], "audience": "landing_demo"}
        body = {"agent_id": await acme.new_agent(), "label": "page", "default_from_number": "+1 555 123 4567", **wanted}
        key = (await acme.post(KEYS, body)).json()
        assert sorted(key["allowed_channels"]) == ["phone", "web"]
        assert (key["audience"], key["default_from_number"]) == ("landing_demo", "+15551234567")

    async def test_takes_null_for_what_may_be_left_out(self, acme: Customer) -> None:
        nothing = {"allowed_channels": None, "audience": None, "default_from_number": None}
        answer = await acme.post(KEYS, {"agent_id": await acme.new_agent(), "label": "page", **nothing})
        assert (answer.status_code, answer.json()["allowed_channels"]) == (201, ["web"])

    async def test_makes_a_key_that_can_create_calls_and_nothing_else(self, acme: Customer) -> None:
        page = await acme.new_publishable_key(await acme.new_agent())
        assert (await page.post("/v1/calls", {"participants": [web()]})).status_code == 201
        refused = await page.get(KEYS)
        assert (refused.status_code, refused.json()["code"]) == (403, "publishable_key_scope")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            *(("agent_id", value) for value in (None, 5, "an-agent")),
            *(("label", value) for value in (None, "", "x" * 101)),
            *(("allowed_channels", value) for value in ([], ["sms"], "web")),
            *(("audience", value) for value in ("everybody", 5)),
            *(("default_from_number", value) for value in ("555", 5)),
        ],
    )
    async def test_refuses_what_is_wrong(self, acme: Customer, field: str, value: object) -> None:
        body = {"agent_id": await acme.new_agent(), "label": "page", field: value}
        answer = await acme.post(KEYS, body)
        assert answer.status_code == 400
        assert answer.json()["details"][0]["field"].startswith(field)
        assert await listed(acme) == []

    async def test_refuses_an_agent_of_nobody_or_of_another_account(self, acme: Customer, rival: Customer) -> None:
        for agent in (STRANGER, await rival.new_agent()):
            answer = await acme.post(KEYS, {"agent_id": agent, "label": "page"})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert await listed(acme) == []


class TestListing:
    async def test_shows_the_window_that_is_asked_for_and_nobody_elses(self, acme: Customer, rival: Customer) -> None:
        agent = await acme.new_agent()
        for label in ("one", "two", "three"):
            await acme.new_publishable_key(agent, label=label)
        page = (await acme.get(f"{KEYS}?limit=1&offset=1")).json()
        assert [key["label"] for key in page["keys"]] == ["two"]
        assert (page["total"], page["offset"], page["limit"]) == (3, 1, 1)
        assert await listed(rival) == []


class TestRevoking:
    async def test_closes_the_door_at_once(self, acme: Customer) -> None:
        page = await acme.new_publishable_key(await acme.new_agent())
        (key,) = await listed(acme)
        answer = await acme.ask("DELETE", f"{KEYS}/{key['id']}")
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert (await page.post("/v1/calls", {"participants": [web()]})).status_code == 401
        assert await listed(acme) == []
        assert (await acme.ask("DELETE", f"{KEYS}/{key['id']}")).status_code == 404

    async def test_finds_no_key_of_another_account(self, acme: Customer, rival: Customer) -> None:
        page = await rival.new_publishable_key(await rival.new_agent())
        (theirs,) = await listed(rival)
        for key_id in (theirs["id"], "key_nobody"):
            answer = await acme.ask("DELETE", f"{KEYS}/{key_id}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert (await page.post("/v1/calls", {"participants": [web()]})).status_code == 201

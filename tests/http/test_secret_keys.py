"""`/v1/auth`."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from tests.support.asking import Customer, client_for, new_customer
from tests.support.clocks import SetClock

from rymi_server.foundation.database import Database

KEYS = "/v1/auth/api-keys"


async def listed(customer: Customer) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (await customer.get(KEYS)).json()["keys"]
    return keys


async def created(customer: Customer, label: str = "server") -> dict[str, Any]:
    answer = await customer.post(KEYS, {"label": label})
    assert answer.status_code == 201, answer.text
    key: dict[str, Any] = answer.json()
    return key


async def works(customer: Customer, plaintext: str) -> bool:
    return (await replace(customer, key=plaintext).get("/v1/auth/me")).status_code == 200


class TestMe:
    async def test_tells_the_account_and_the_beginning_of_the_key(self, acme: Customer) -> None:
        answer = await acme.get("/v1/auth/me")
        assert answer.status_code == 200
        assert answer.json() == {
            "id": acme.tenant.id,
            "api_key_prefix": acme.key[:10],
            "telephony_provider": None,
            "plivo_connected": False,
            "plivo_account_name": None,
            "plivo_account_country": None,
        }


class TestCreating:
    async def test_shows_the_key_once_and_it_works(self, acme: Customer) -> None:
        key = await created(acme, "production")
        assert key["api_key"] == key["key"]
        assert key["key"].startswith("rymi_")
        assert await works(acme, key["key"])
        (newest, oldest) = await listed(acme)
        assert newest.pop("last_used_at").endswith("Z")
        assert newest == {name: key[name] for name in ("id", "key_prefix", "label", "created_at", "revoked_at")}
        assert (newest["key_prefix"], newest["label"], newest["revoked_at"]) == (key["key"][:10], "production", None)
        assert oldest["label"] == "tests"

    @pytest.mark.parametrize("body", [None, {}, {"label": None}])
    async def test_names_the_key_itself_where_nobody_does(self, acme: Customer, body: object) -> None:
        answer = await (acme.post(KEYS) if body is None else acme.post(KEYS, body))
        assert (answer.status_code, answer.json()["label"]) == (201, "API key")

    @pytest.mark.parametrize("label", ["", "x" * 101, 5])
    async def test_refuses_a_label_that_is_none(self, acme: Customer, label: object) -> None:
        answer = await acme.post(KEYS, {"label": label})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "label")
        assert len(await listed(acme)) == 1

    async def test_again_with_the_same_idempotency_key_shows_the_same_key(self, acme: Customer) -> None:
        headers = {"Idempotency-Key": "once"}
        first, again = [await acme.post(KEYS, {"label": "one"}, headers=headers) for _ in range(2)]
        assert first.json() == again.json()
        assert len(await listed(acme)) == 2


class TestListing:
    async def test_shows_the_window_that_is_asked_for_and_nobody_elses(self, acme: Customer, rival: Customer) -> None:
        await created(acme, "one")
        await created(acme, "two")
        page = (await acme.get(f"{KEYS}?limit=1&offset=1")).json()
        assert [key["label"] for key in page["keys"]] == ["one"]
        assert (page["total"], page["offset"], page["limit"]) == (3, 1, 1)
        assert [key["label"] for key in await listed(rival)] == ["tests"]


class TestRevoking:
    async def test_closes_the_door_at_once(self, acme: Customer) -> None:
        key = await created(acme)
        answer = await acme.ask("DELETE", f"{KEYS}/{key['id']}")
        assert (answer.status_code, answer.json()) == (200, {"status": "revoked", "id": key["id"]})
        assert not await works(acme, key["key"])
        assert len(await listed(acme)) == 1
        again = await acme.ask("DELETE", f"{KEYS}/{key['id']}")
        assert (again.status_code, again.json()["code"]) == (404, "not_found")

    async def test_refuses_the_last_key(self, acme: Customer) -> None:
        (only,) = await listed(acme)
        answer = await acme.ask("DELETE", f"{KEYS}/{only['id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "last_key")
        assert await works(acme, acme.key)

    async def test_finds_no_key_of_another_account(self, acme: Customer, rival: Customer) -> None:
        theirs = await created(rival)
        answer = await acme.ask("DELETE", f"{KEYS}/{theirs['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert await works(rival, theirs["key"])

    async def test_of_the_last_two_at_once_leaves_one(self, acme: Customer) -> None:
        await created(acme)
        ids = [key["id"] for key in await listed(acme)]
        answers = await asyncio.gather(*(acme.ask("DELETE", f"{KEYS}/{key_id}") for key_id in ids))
        # The loser is told so, or finds that it was its own key that the winner revoked.
        assert sorted(answer.status_code for answer in answers)[0] == 200
        assert sorted(answer.status_code for answer in answers)[1] in (401, 409)


class TestRotating:
    async def test_replaces_the_key_at_once(self, acme: Customer) -> None:
        old = await created(acme, "production")
        answer = await acme.post(f"{KEYS}/{old['id']}/rotate")
        assert answer.status_code == 201
        new = answer.json()
        assert new["key"] == new["api_key"] != old["key"]
        assert (new["label"], new["replaced"]["id"]) == ("production", old["id"])
        assert await works(acme, new["key"])
        assert not await works(acme, old["key"])
        assert old["id"] not in [key["id"] for key in await listed(acme)]

    async def test_lets_the_old_key_work_until_its_grace_is_over(self, database: Database) -> None:
        clock = SetClock.from_now()
        async with client_for(database, clock) as http:
            acme = await new_customer(database, http)
            old = await created(acme)
            rotated = (await acme.post(f"{KEYS}/{old['id']}/rotate", {"grace_seconds": 3600})).json()
            shown = {key["id"]: key["revoked_at"] for key in await listed(acme)}
            assert shown[old["id"]] == rotated["replaced"]["revoked_at"]
            assert shown[rotated["id"]] is None
            clock.pass_by(seconds=3599)
            assert await works(acme, old["key"])
            clock.pass_by(seconds=1)
            assert not await works(acme, old["key"])
            assert await works(acme, rotated["key"])
            assert old["id"] not in [key["id"] for key in await listed(acme)]

    async def test_can_be_done_to_the_only_key_by_itself(self, acme: Customer) -> None:
        (only,) = await listed(acme)
        new = (await acme.post(f"{KEYS}/{only['id']}/rotate", {})).json()
        assert not await works(acme, acme.key)
        assert await works(acme, new["key"])

    async def test_is_refused_for_a_key_that_is_replaced_already(self, acme: Customer) -> None:
        old = await created(acme)
        await acme.post(f"{KEYS}/{old['id']}/rotate", {"grace_seconds": 60})
        again = await acme.post(f"{KEYS}/{old['id']}/rotate")
        assert (again.status_code, again.json()["code"]) == (409, "key_already_replaced")

    async def test_leaves_a_replaced_key_that_can_be_revoked_early(self, acme: Customer) -> None:
        old = await created(acme)
        await acme.post(f"{KEYS}/{old['id']}/rotate", {"grace_seconds": 60})
        assert (await acme.ask("DELETE", f"{KEYS}/{old['id']}")).status_code == 200
        assert not await works(acme, old["key"])

    async def test_does_not_make_a_replaced_key_count_as_one_that_lasts(self, acme: Customer) -> None:
        (only,) = await listed(acme)
        new = (await acme.post(f"{KEYS}/{only['id']}/rotate", {"grace_seconds": 60})).json()
        answer = await acme.ask("DELETE", f"{KEYS}/{new['id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "last_key")

    async def test_at_once_by_two_replaces_it_once(self, acme: Customer) -> None:
        old = await created(acme)
        answers = await asyncio.gather(*(acme.post(f"{KEYS}/{old['id']}/rotate") for _ in range(2)))
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses[0] == 201
        assert statuses[1] in (404, 409)

    @pytest.mark.parametrize("grace", [-1, 86_401, "60", 1.5, True, None])
    async def test_refuses_a_grace_that_is_none(self, acme: Customer, grace: object) -> None:
        (only,) = await listed(acme)
        answer = await acme.post(f"{KEYS}/{only['id']}/rotate", {"grace_seconds": grace})
        assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "grace_seconds")
        assert await works(acme, acme.key)

    async def test_finds_no_key_of_another_account(self, acme: Customer, rival: Customer) -> None:
        theirs = await created(rival)
        for key_id in (theirs["id"], "key_nobody"):
            answer = await acme.post(f"{KEYS}/{key_id}/rotate")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert await works(rival, theirs["key"])

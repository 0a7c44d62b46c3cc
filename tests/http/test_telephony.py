"""`/v1/telephony`, with the carriers in a box."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
import sqlalchemy as sa
from tests.carrierbox.lab import Lab
from tests.support.asking import SECRET, Customer, client_for, new_customer
from tests.support.phone_lab import BOX, CREDENTIALS

from carrierbox import stock
from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from rymi_server.foundation.database import Database
from rymi_server.telephony.models import carrier_connections

each_carrier = pytest.mark.parametrize("provider", CREDENTIALS)
NO_CARRIER = {"connected": False, "provider": None, "account_name": None, "account_country": None}


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    async with aiohttp.ClientSession() as session, serving(BOX, SteadyClock()) as (box, address):
        yield Lab(session, box, address)


def at_the_box(address: str) -> dict[str, str]:
    return {
        "twilio_url": f"{address}/twilio",
        "plivo_url": f"{address}/plivo",
        "vonage_url": f"{address}/vonage",
        "vonage_account_url": f"{address}/vonage",
    }


@pytest.fixture
async def boxed(database: Database, lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    async with client_for(database, connect_attempts=5, **at_the_box(lab.address)) as client:
        yield client


@pytest.fixture
async def acme(database: Database, boxed: httpx.AsyncClient) -> Customer:
    return await new_customer(database, boxed)


async def kept(database: Database) -> list[Any]:
    async with database.transaction() as tx:
        return list((await tx.execute(sa.select(carrier_connections))).all())


class TestConnecting:
    @each_carrier
    async def test_answers_as_documented_and_seals_what_it_keeps(
        self, database: Database, acme: Customer, provider: str
    ) -> None:
        answer = await acme.post("/v1/telephony/connect", CREDENTIALS[provider])
        name = stock.VONAGE_KEY if provider == "vonage" else f"carrierbox {provider.capitalize()}"
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "status": "connected",
            "provider": provider,
            "account_name": name,
            "message": f"{provider} account connected successfully",
        }
        status = {"connected": True, "provider": provider, "account_name": name, "account_country": None}
        assert (await acme.get("/v1/telephony/status")).json() == status
        (row,) = await kept(database)
        secrets = {
            value for name, value in CREDENTIALS[provider].items() if name not in ("provider", "auth_id", "api_key")
        }
        assert not any(secret.encode() in row.sealed_credentials for secret in secrets)
        assert SECRET.encode() not in row.sealed_credentials

    @each_carrier
    async def test_shows_the_accounts_numbers_with_the_agent_of_each(self, acme: Customer, provider: str) -> None:
        agent, number = await acme.new_agent(), stock.NUMBERS[provider][0]
        await acme.post("/v1/telephony/connect", CREDENTIALS[provider])
        await acme.post("/v1/numbers", {"number": number, "agent_id": agent})
        shown = (await acme.get("/v1/telephony/numbers")).json()["numbers"]
        assert all(each.pop("id").startswith("num_") for each in shown)
        assert shown == [
            {
                "provider": provider,
                "phone_number": each,
                "number_status": "active",
                "backend_agent_id": agent if each == number else None,
            }
            for each in stock.NUMBERS[provider]
        ]

    async def test_another_carrier_takes_the_place_of_the_first(self, database: Database, acme: Customer) -> None:
        for provider in ("twilio", "vonage"):
            await acme.post("/v1/telephony/connect", CREDENTIALS[provider])
        assert (await acme.get("/v1/telephony/status")).json()["provider"] == "vonage"
        assert [row.disconnected_at is None for row in await kept(database)] == [False, True]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "provider"),
            ({"provider": "telnyx"}, "provider"),
            ({"provider": "twilio"}, "auth_id"),
            ({"provider": "twilio", "auth_id": stock.TWILIO_SID}, "auth_token"),
            ({"provider": "twilio", "auth_id": "AC123", "auth_token": "t"}, "auth_id"),
            ({"provider": "plivo", "auth_id": stock.TWILIO_SID, "auth_token": "t"}, "auth_id"),
            ({"provider": "vonage", "auth_id": "x", "auth_token": "y"}, "api_key"),
            ({"provider": "vonage", "api_key": "abcd"}, "api_secret"),
            ({**CREDENTIALS["twilio"], "auth_token": "with space"}, "auth_token"),
            ({**CREDENTIALS["twilio"], "calls_per_second": 0}, "calls_per_second"),
        ],
        ids=str,
    )
    async def test_says_what_is_missing_before_anybody_is_asked(
        self, database: Database, acme: Customer, body: dict[str, Any], field: str
    ) -> None:
        answer = await acme.post("/v1/telephony/connect", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert answer.json()["details"][0]["field"] == field
        assert await kept(database) == []

    @each_carrier
    async def test_is_refused_where_the_carrier_does_not_take_the_credentials(
        self, database: Database, acme: Customer, provider: str
    ) -> None:
        secret = "api_secret" if provider == "vonage" else "auth_token"
        answer = await acme.post("/v1/telephony/connect", {**CREDENTIALS[provider], secret: "wrong"})
        assert (answer.status_code, answer.json()["code"]) == (401, "carrier_credentials_invalid")
        assert await kept(database) == []

    async def test_is_refused_for_a_suspended_account(self, lab: Lab, acme: Customer) -> None:
        account = {"carrier": "twilio", "id": "AC" + "0" * 32, "secret": "s", "status": "suspended"}
        await lab.send("POST", "/accounts", account)
        body = {"provider": "twilio", "auth_id": account["id"], "auth_token": "s"}
        answer = await acme.post("/v1/telephony/connect", body)
        assert (answer.status_code, "suspended" in answer.json()["error"]) == (401, True)

    async def test_says_that_a_trial_account_calls_only_verified_numbers(self, lab: Lab, acme: Customer) -> None:
        account = {"carrier": "twilio", "id": "AC" + "0" * 32, "secret": "s", "trial": True}
        await lab.send("POST", "/accounts", account)
        body = {"provider": "twilio", "auth_id": account["id"], "auth_token": "s"}
        assert "trial" in (await acme.post("/v1/telephony/connect", body)).json()["warning"]

    @each_carrier
    @pytest.mark.parametrize(
        ("fault", "status", "code"),
        [
            ({"act": "status", "status": 429}, 429, "carrier_busy"),
            ({"act": "status", "status": 500}, 500, "carrier_check_failed"),
            ({"act": "status", "status": 503, "body": "<html>down</html>"}, 500, "carrier_check_failed"),
            ({"act": "hang", "ms": 10}, 500, "carrier_check_failed"),
        ],
        ids=["429", "500", "html", "hangs"],
    )
    @pytest.mark.parametrize("event", ["validate", "list_numbers"])
    async def test_stores_nothing_when_the_carrier_fails(
        self,
        database: Database,
        lab: Lab,
        acme: Customer,
        provider: str,
        event: str,
        fault: dict[str, Any],
        status: int,
        code: str,
    ) -> None:
        await lab.send("POST", "/faults", {"target": "rest", "event": event, **fault})
        answer = await acme.post("/v1/telephony/connect", CREDENTIALS[provider])
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert await kept(database) == []
        assert (await acme.get("/v1/telephony/status")).json() == NO_CARRIER

    async def test_is_limited_to_so_many_attempts(self, acme: Customer) -> None:
        body = {**CREDENTIALS["twilio"], "auth_token": "wrong"}
        answers = [await acme.post("/v1/telephony/connect", body) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert answers[-1].json()["code"] == "too_many_connect_attempts"
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 300


class TestValidating:
    async def test_says_whose_account_it_is_and_stores_nothing(self, database: Database, acme: Customer) -> None:
        answer = await acme.post("/v1/telephony/validate", CREDENTIALS["plivo"])
        assert answer.json() == {"valid": True, "accountName": "carrierbox Plivo"}
        assert await kept(database) == []

    async def test_says_why_not(self, acme: Customer) -> None:
        answer = await acme.post("/v1/telephony/validate", {**CREDENTIALS["plivo"], "auth_token": "wrong"})
        assert answer.status_code == 200
        assert answer.json()["valid"] is False
        assert answer.json()["error"]

    async def test_is_limited_too(self, acme: Customer) -> None:
        answers = [await acme.post("/v1/telephony/validate", CREDENTIALS["twilio"]) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]


class TestDisconnecting:
    async def test_leaves_no_carrier(self, acme: Customer) -> None:
        await acme.post("/v1/telephony/connect", CREDENTIALS["twilio"])
        for _ in range(2):
            answer = await acme.post("/v1/telephony/disconnect")
            assert answer.json() == {"status": "disconnected", "message": "Telephony disconnected."}
        assert (await acme.get("/v1/telephony/status")).json() == NO_CARRIER
        assert (await acme.get("/v1/telephony/numbers")).json() == {"numbers": []}

    async def test_is_nothing_that_another_account_sees(
        self, database: Database, boxed: httpx.AsyncClient, acme: Customer
    ) -> None:
        await acme.post("/v1/telephony/connect", CREDENTIALS["twilio"])
        rival = await new_customer(database, boxed, name="Rival")
        assert (await rival.get("/v1/telephony/status")).json() == NO_CARRIER
        assert (await rival.get("/v1/telephony/numbers")).json() == {"numbers": []}
        await rival.post("/v1/telephony/disconnect")
        assert (await acme.get("/v1/telephony/status")).json()["connected"] is True


class TestProviders:
    async def test_are_told_to_everybody(self, boxed: httpx.AsyncClient) -> None:
        listed = (await boxed.get("/v1/telephony/providers")).json()["providers"]
        assert [each["id"] for each in listed] == ["twilio", "plivo", "vonage"]
        vonage = {each["name"]: each for each in listed[2]["credentialFields"]}
        assert vonage["signature_secret"] == {
            "name": "signature_secret",
            "label": "Signature Secret",
            "required": False,
            "secret": True,
        }


class TestCallingHours:
    async def test_are_none_until_they_are_set_and_again_when_they_are_removed(self, acme: Customer) -> None:
        path = "/v1/telephony/calling-hours"
        assert (await acme.get(path)).json() == {"calling_hours": None}
        wanted = {"opens": "08:00", "closes": "21:00", "weekdays": [5, 1, 1]}
        assert (await acme.ask("PUT", path, json=wanted)).status_code == 200
        kept = {"opens": "08:00", "closes": "21:00", "weekdays": [1, 5]}
        assert (await acme.get(path)).json() == {"calling_hours": kept}
        await acme.ask("DELETE", path)
        assert (await acme.get(path)).json() == {"calling_hours": None}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"opens": "21:00", "closes": "08:00"},
            {"opens": "8:00", "closes": "21:00"},
            {"opens": "08:00", "closes": "24:30"},
            {"opens": "08:00", "closes": "21:00", "weekdays": []},
            {"opens": "08:00", "closes": "21:00", "weekdays": [0]},
        ],
        ids=str,
    )
    async def test_must_make_sense(self, acme: Customer, wrong: dict[str, Any]) -> None:
        answer = await acme.ask("PUT", "/v1/telephony/calling-hours", json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")

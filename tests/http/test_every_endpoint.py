"""What every endpoint does with what it should not be asked, read off the API's document, so that none is left out."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.support.asking import CLOCK, Customer, client_for, settings_for_tests, web
from tests.support.operations import OPERATIONS, Operation

from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import pepper_from_text
from rymi_server.keys import store as keys
from rymi_server.keys.models import digest
from rymi_server.quotas.models import rate_windows
from rymi_server.tenants.store import change_plan

KEYED = [operation for operation in OPERATIONS if operation.needs_key]
WITH_ID = [operation for operation in KEYED if operation.parameters("path")]
WITH_QUERY = [operation for operation in KEYED if operation.parameters("query")]
WITH_LIMIT = [operation for operation in KEYED if "limit" in operation.parameters("query")]
READING_BODIES = [operation for operation in KEYED if operation.method != "GET"]
TAKING_BODIES = [operation for operation in KEYED if operation.body]
WITH_FIELDS = [(operation, name) for operation in TAKING_BODIES for name in operation.fields_and_wrong_values()]

FOR_PUBLISHABLE_KEYS = {"createCall"}
# What an endpoint that needs a body can be sent to get as far as looking for what its path names.
GOOD_BODIES: dict[str, dict[str, Any]] = {
    "transferCall": {"to": "+15550004444"},
    "addParticipants": {"participants": [web()]},
    "updateAgent": {"name": "Mine"},
    "attachNumber": {},
    "updateWebhook": {"url": "https://example.org/"},
}
# Where an id of the caller's own has to stand in that body.
NEEDS_AGENT = {"attachNumber"}

each_keyed = pytest.mark.parametrize("operation", KEYED, ids=[each.name for each in KEYED])
each_with_id = pytest.mark.parametrize("operation", WITH_ID, ids=[each.name for each in WITH_ID])
each_with_query = pytest.mark.parametrize("operation", WITH_QUERY, ids=[each.name for each in WITH_QUERY])
each_with_limit = pytest.mark.parametrize("operation", WITH_LIMIT, ids=[each.name for each in WITH_LIMIT])
each_reading_bodies = pytest.mark.parametrize("operation", READING_BODIES, ids=[e.name for e in READING_BODIES])
each_taking_bodies = pytest.mark.parametrize("operation", TAKING_BODIES, ids=[each.name for each in TAKING_BODIES])
each_field = pytest.mark.parametrize(
    ("operation", "name"), WITH_FIELDS, ids=[f"{operation.name}-{name}" for operation, name in WITH_FIELDS]
)


def refused(operation: Operation, answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a refusal that is this one, and documented."""
    assert answer.status_code == status, answer.text
    assert status in operation.statuses
    body: dict[str, Any] = answer.json()
    assert body["code"] == code
    assert body["error"]
    return body


class TestWithoutAGoodKey:
    @each_keyed
    async def test_nobody_is_answered(self, operation: Operation, http: httpx.AsyncClient) -> None:
        wrong = ({}, {"Authorization": "Bearer rymi_nobody"}, {"Authorization": "Bearer sb_publishable_nobody"})
        for headers in (*wrong, {"Authorization": "Basic cnltaTo="}, {"Authorization": "Bearer "}):
            answer = await http.request(operation.method, operation.at(), headers=headers)
            refused(operation, answer, 401, "unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer"

    @each_keyed
    async def test_a_revoked_key_opens_nothing(
        self, operation: Operation, database: Database, acme: Customer, revoked: Customer
    ) -> None:
        refused(operation, await revoked.ask(operation.method, operation.at()), 401, "unauthorized")

    @each_keyed
    async def test_a_revoked_publishable_key_opens_nothing(self, operation: Operation, acme: Customer) -> None:
        page = await acme.new_publishable_key(await acme.new_agent())
        (key,) = (await acme.get("/v1/keys/publishable")).json()["keys"]
        await acme.ask("DELETE", f"/v1/keys/publishable/{key['id']}")
        refused(operation, await page.ask(operation.method, operation.at()), 401, "unauthorized")

    @pytest.mark.parametrize(
        "operation",
        [each for each in KEYED if each.name not in FOR_PUBLISHABLE_KEYS],
        ids=[each.name for each in KEYED if each.name not in FOR_PUBLISHABLE_KEYS],
    )
    async def test_a_publishable_key_opens_only_the_creation_of_calls(
        self, operation: Operation, acme: Customer
    ) -> None:
        page = await acme.new_publishable_key(await acme.new_agent())
        refused(operation, await page.ask(operation.method, operation.at()), 403, "publishable_key_scope")

    @each_taking_bodies
    async def test_the_key_is_looked_at_before_the_body(self, operation: Operation, http: httpx.AsyncClient) -> None:
        answer = await http.request(operation.method, operation.at(), content=b"{", headers=JSON)
        refused(operation, answer, 401, "unauthorized")


JSON = {"Content-Type": "application/json"}


class TestABadMoment:
    @each_keyed
    async def test_is_the_next_request_beyond_the_plan(
        self, operation: Operation, acme: Customer, hurried: Customer
    ) -> None:
        answer = await hurried.ask(operation.method, operation.at())
        assert refused(operation, answer, 429, "rate_limited")["retry_after_seconds"] > 0
        assert int(answer.headers["Retry-After"]) > 0

    @each_keyed
    async def test_is_when_the_database_is_away(self, operation: Operation, cut_off: httpx.AsyncClient) -> None:
        headers = {"Authorization": "Bearer rymi_anybody"}
        answer = await cut_off.request(operation.method, operation.at(), headers=headers)
        refused(operation, answer, 503, "database_unreachable")


class TestABadRequest:
    @each_keyed
    async def test_with_nul_in_its_query_is_refused(self, operation: Operation, acme: Customer) -> None:
        for query in ("x=%00", "%00=x", "limit=1%00"):
            answer = await acme.ask(operation.method, f"{operation.at()}?{query}")
            refused(operation, answer, 400, "validation_error")

    @each_with_query
    async def test_with_two_values_for_one_parameter_is_refused(self, operation: Operation, acme: Customer) -> None:
        for name in operation.parameters("query"):
            answer = await acme.ask(operation.method, f"{operation.at()}?{name}=1&{name}=2")
            assert refused(operation, answer, 400, "validation_error")["details"][0]["field"] == name

    @each_with_id
    async def test_with_nul_in_its_path_is_refused(self, operation: Operation, acme: Customer) -> None:
        values = dict.fromkeys(operation.parameters("path"), "a%00b")
        answer = await acme.ask(operation.method, operation.at(**values))
        refused(operation, answer, 400, "validation_error")

    @each_reading_bodies
    @pytest.mark.parametrize(
        "body",
        [
            *(b"{", b"{'a': 1}", b"\xff", b'{"a": NaN}', b'{"a": 1e999}', b"[" * 100_000, b'{"a": "\\u0000"}'),
            *(b'{"\\u0000": 1}', b'{"a": ["\\ud800"]}', b'{"a": "\x00"}', b"[" * 100 + b"]" * 100),
        ],
        ids=range(11),
    )
    async def test_with_a_body_that_cannot_be_kept_is_refused(
        self, operation: Operation, body: bytes, acme: Customer
    ) -> None:
        answer = await acme.ask(operation.method, operation.at(), content=body, headers=JSON)
        refused(operation, answer, 400, "validation_error")

    @each_reading_bodies
    async def test_with_a_body_that_is_not_called_json_is_refused(self, operation: Operation, acme: Customer) -> None:
        for kind in ({}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}):
            answer = await acme.ask(operation.method, operation.at(), content=b"{}", headers=kind)
            refused(operation, answer, 400, "validation_error")

    @each_taking_bodies
    async def test_that_is_too_large_is_refused(self, operation: Operation, acme: Customer) -> None:
        most = settings_for_tests().max_body_bytes

        async def undeclared() -> AsyncIterator[bytes]:
            for _ in range(most // 65_536 + 1):
                yield b" " * 65_536

        for content in (b" " * (most + 1), undeclared()):
            answer = await acme.ask(operation.method, operation.at(), content=content, headers=JSON)
            assert refused(operation, answer, 413, "body_too_large")["limit_bytes"] == most

    @each_taking_bodies
    async def test_whose_body_is_no_object_is_refused(self, operation: Operation, acme: Customer) -> None:
        for body in ([], "text", 5, True):
            answer = await acme.ask(operation.method, operation.at(), json=body)
            refused(operation, answer, 400, "validation_error")

    @each_field
    async def test_whose_field_is_of_a_wrong_type_is_told_which(
        self, operation: Operation, name: str, acme: Customer
    ) -> None:
        wrong = operation.fields_and_wrong_values()[name]
        answer = await acme.ask(operation.method, operation.at(), json={name: wrong})
        details = refused(operation, answer, 400, "validation_error")["details"]
        assert any(each["field"].partition(".")[0] == name for each in details), details

    @each_with_limit
    async def test_for_a_page_of_no_size_is_refused(self, operation: Operation, acme: Customer) -> None:
        most = operation.parameters("query")["limit"]["maximum"]
        for query in ("limit=0", "limit=-1", f"limit={most + 1}", "limit=x", "limit=", "limit=1.5", f"limit={10**30}"):
            refused(operation, await acme.ask(operation.method, f"{operation.at()}?{query}"), 400, "validation_error")

    @each_with_limit
    async def test_for_a_page_at_no_place_is_refused(self, operation: Operation, acme: Customer) -> None:
        for query in ("offset=-1", "offset=x", "offset=", f"offset={10**30}"):
            refused(operation, await acme.ask(operation.method, f"{operation.at()}?{query}"), 400, "validation_error")


class TestWhatIsNotTheAskers:
    @each_with_id
    async def test_is_not_found_when_it_is_nobodys(self, operation: Operation, acme: Customer) -> None:
        answer = await acme.ask(operation.method, operation.at(), **await good_body(operation, acme))
        refused(operation, answer, 404, "not_found")

    @each_with_id
    async def test_is_not_found_when_it_is_anothers(
        self, operation: Operation, acme: Customer, rival: Customer
    ) -> None:
        (name,) = operation.parameters("path")
        theirs = await THINGS[operation.path.partition("{")[0] + name](rival)
        answer = await acme.ask(operation.method, operation.at(**{name: theirs}), **await good_body(operation, acme))
        refused(operation, answer, 404, "not_found")


async def good_body(operation: Operation, customer: Customer) -> dict[str, Any]:
    if not operation.needs_body:
        return {}
    agent = {"agent_id": await customer.new_agent()} if operation.name in NEEDS_AGENT else {}
    return {"json": {**GOOD_BODIES[operation.name], **agent}}


# --- things to have --------------------------------------------------------------------------------------------------


async def a_call(owner: Customer) -> str:
    answer = await owner.post("/v1/calls", {"agent_id": await owner.new_agent(), "participants": [web()]})
    call_id: str = answer.json()["id"]
    return call_id


async def a_batch(owner: Customer) -> str:
    body = {"agent_id": await owner.new_agent(), "to": ["+15550001111"], "from_number": "+15550002222"}
    batch_id: str = (await owner.post("/v1/calls/batch", body)).json()["batch_id"]
    return batch_id


async def an_agent(owner: Customer) -> str:
    return await owner.new_agent()


async def a_number(owner: Customer) -> str:
    number: str = (await owner.post("/v1/numbers", {"number": "+15550003333"})).json()["number"]
    return number


async def a_listed_number(owner: Customer) -> str:
    phone: str = (await owner.post("/v1/dnc", {"phone_number": "+15550004444"})).json()["phone_number"]
    return phone


async def a_secret_key(owner: Customer) -> str:
    key_id: str = (await owner.post("/v1/auth/api-keys")).json()["id"]
    return key_id


async def a_publishable_key(owner: Customer) -> str:
    body = {"agent_id": await owner.new_agent(), "label": "page"}
    key_id: str = (await owner.post("/v1/keys/publishable", body)).json()["id"]
    return key_id


async def a_webhook(owner: Customer) -> str:
    body = {"url": "https://example.com/", "events": ["call.completed"]}
    webhook_id: str = (await owner.post("/v1/webhooks", body)).json()["id"]
    return webhook_id


async def a_delivery(owner: Customer) -> str:
    delivery_id: str = (await owner.post(f"/v1/webhooks/{await a_webhook(owner)}/test")).json()["delivery_id"]
    return delivery_id


# By the beginning of the path and the name of the parameter that follows it.
THINGS: dict[str, Callable[[Customer], Awaitable[str]]] = {
    "/v1/calls/call_id": a_call,
    "/v1/calls/batch/batch_id": a_batch,
    "/v1/agents/agent_id": an_agent,
    "/v1/numbers/number": a_number,
    "/v1/dnc/phone": a_listed_number,
    "/v1/auth/api-keys/key_id": a_secret_key,
    "/v1/keys/publishable/key_id": a_publishable_key,
    "/v1/webhooks/webhook_id": a_webhook,
    "/v1/webhooks/deliveries/delivery_id": a_delivery,
}


@pytest.fixture
async def revoked(database: Database, acme: Customer) -> Customer:
    """Acme, asking with a key that was taken back."""
    plaintext = "rymi_taken_back"
    known_by = digest(plaintext, pepper_from_text(settings_for_tests().required_secret()))
    async with database.transaction() as tx:
        key = await keys.add_secret(tx, acme.tenant.id, known_by, "rymi_taken", "old", CLOCK.now())
        await keys.revoke_secret(tx, acme.tenant.id, key.id, CLOCK.now())
    return replace(acme, key=plaintext)


@pytest.fixture
async def hurried(database: Database, acme: Customer) -> Customer:
    """Acme, having asked more than its plan allows, also in the minute that may begin before the test is over."""
    now = CLOCK.now().replace(second=0, microsecond=0)
    async with database.transaction() as tx:
        await change_plan(tx, acme.tenant.id, "free")
        for minute in (now, now + timedelta(minutes=1)):
            used = {"subject": f"tenant:{acme.tenant.id}", "window_start": minute, "used": 1_000}
            await tx.execute(rate_windows.insert().values(used))
    return acme


@pytest.fixture
async def cut_off() -> AsyncIterator[httpx.AsyncClient]:
    """The API with nothing behind it: on port 1 nobody listens."""
    nowhere = Database("postgresql://nobody@127.0.0.1:1/nothing")
    async with client_for(nowhere) as client:
        yield client
    await nowhere.close()

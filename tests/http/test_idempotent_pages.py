"""`Idempotency-Key` on the pages beside calls: what is sent twice is made once."""

from typing import Any

import pytest
from tests.support.asking import Customer

ONCE = {"Idempotency-Key": "a-key-of-mine"}
WEBHOOK = {"url": "https://example.com/", "events": ["call.completed"]}
# Where to, what, what else, and where to count what came of it.
CREATING: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("/v1/agents", {"name": "Aria"}, {"name": "Ben"}, "/v1/agents"),
    ("/v1/numbers", {"number": "+15551234567"}, {"number": "+15551234568"}, "/v1/numbers"),
    ("/v1/dnc", {"phone_number": "+15551234567"}, {"phone_number": "+15551234568"}, "/v1/dnc"),
    ("/v1/dnc/batch", {"phone_numbers": ["+15551234567"]}, {"phone_numbers": ["+15551234568"]}, "/v1/dnc"),
    ("/v1/auth/api-keys", {"label": "one"}, {"label": "two"}, "/v1/auth/api-keys"),
    ("/v1/webhooks", WEBHOOK, {**WEBHOOK, "alert_email": "ops@example.com"}, "/v1/webhooks"),
]
each_creating = pytest.mark.parametrize(("path", "body", "other", "listed_at"), CREATING, ids=[c[0] for c in CREATING])


@each_creating
class TestCreatingOnce:
    async def test_answers_a_repetition_as_it_answered_first(
        self, path: str, body: dict[str, Any], other: dict[str, Any], listed_at: str, acme: Customer
    ) -> None:
        before = (await acme.get(listed_at)).json()["total"]
        first = await acme.post(path, body, headers=ONCE)
        again = await acme.post(path, body, headers=ONCE)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert (first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed")) == (None, "true")
        assert (await acme.get(listed_at)).json()["total"] == before + 1

    async def test_refuses_another_request_under_the_same_key(
        self, path: str, body: dict[str, Any], other: dict[str, Any], listed_at: str, acme: Customer
    ) -> None:
        await acme.post(path, body, headers=ONCE)
        before = (await acme.get(listed_at)).json()["total"]
        answer = await acme.post(path, other, headers=ONCE)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_mismatch")
        assert (await acme.get(listed_at)).json()["total"] == before

    async def test_refuses_a_key_that_is_none(
        self, path: str, body: dict[str, Any], other: dict[str, Any], listed_at: str, acme: Customer
    ) -> None:
        before = (await acme.get(listed_at)).json()["total"]
        answer = await acme.post(path, body, headers={"Idempotency-Key": "x" * 256})
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert (await acme.get(listed_at)).json()["total"] == before


class TestThingsMadeOfOthers:
    async def test_are_made_once_too(self, acme: Customer) -> None:
        agent = await acme.new_agent()
        (key,) = (await acme.get("/v1/auth/api-keys")).json()["keys"]
        clone, clone_again = [await acme.post(f"/v1/agents/{agent}/clone", headers=ONCE) for _ in range(2)]
        assert clone.json() == clone_again.json()
        page = {"agent_id": agent, "label": "page"}
        made, made_again = [
            await acme.post("/v1/keys/publishable", page, headers={"Idempotency-Key": "page"}) for _ in range(2)
        ]
        assert made.json()["key"] == made_again.json()["key"]
        rotate = f"/v1/auth/api-keys/{key['id']}/rotate"
        grace, slow = {"grace_seconds": 60}, {"Idempotency-Key": "rotation"}
        new, new_again = [await acme.post(rotate, grace, headers=slow) for _ in range(2)]
        assert new.json()["key"] == new_again.json()["key"]
        assert (await acme.get("/v1/auth/api-keys")).json()["total"] == 2

"""LiveKit's notices: who may send them, and what they do to a call."""

from typing import Any

import httpx
import pytest
from tests.support.asking import CLOCK, NOBODY, Customer, phone, web
from tests.support.calling import jobs_in
from tests.support.notices import guest, notice, signed, tell

from rymi_server.calls import agent_runs, store
from rymi_server.calls.models import Participant, ParticipantStatus, Role, Transport
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import CallId, ParticipantId, new_uuid
from rymi_server.foundation.rows import write


@pytest.fixture
async def call(acme: Customer) -> dict[str, Any]:
    body = {"agent_id": await acme.new_agent(), "participants": [web("ann"), web("bob")]}
    answer: dict[str, Any] = (await acme.post("/v1/calls", body)).json()
    return answer


async def with_agent(database: Database, call: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """As if an agent had been sent."""
    agent_id = ParticipantId(new_uuid())
    async with database.transaction() as tx:
        locked = await store.lock_by_room(tx, CallId(call["id"]))
        assert locked
        now = CLOCK.now()
        joining, nothing = ParticipantStatus.JOINING, None
        row = Participant(
            *(agent_id, locked.id, locked.tenant_id, Role.AGENT, Transport.INTERNAL, agent_id, joining),
            *({}, nothing, now, nothing, nothing),
        )
        await write(tx, store.participant_rows([row]))
        await agent_runs.begin(tx, locked.id, number, agent_id, now)
    return {"id": agent_id, "identity": agent_id}


async def detail(acme: Customer, call: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = (await acme.get(f"/v1/calls/{call['id']}")).json()
    return shown


async def statuses(acme: Customer, call: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    people = (await detail(acme, call))["participants"]
    return {p["identity"]: (p["status"], p["leave_reason"]) for p in people}


class TestTheDoor:
    async def test_opens_to_livekit_alone(self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]) -> None:
        raw = notice("participant_joined", call["id"], guest(call["participants"][0]))
        other = notice("participant_left", call["id"], guest(call["participants"][0]))
        for wrong in (
            "",
            "nonsense",
            f"Bearer {acme.key}",
            signed(raw, key="somebody"),
            signed(raw, secret="x" * 40),
            signed(raw, minutes=-10),
            signed(other),
        ):
            answer = await tell(http, raw, wrong)
            assert (answer.status_code, answer.json()["code"]) == (401, "notice_refused")
        assert (await detail(acme, call))["status"] == "connecting"

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"5", b'{"event": "x"}', b"\xff", b"[" * 50_000])
    async def test_refuses_what_is_signed_and_is_no_notice(self, http: httpx.AsyncClient, raw: bytes) -> None:
        answer = await tell(http, raw)
        # A notice of a room without a name is about none of ours.
        assert answer.status_code == (200 if raw == b'{"event": "x"}' else 400)

    async def test_refuses_what_is_too_large(self, http: httpx.AsyncClient) -> None:
        assert (await tell(http, b" " * 300_000)).status_code == 413

    async def test_listens_to_rooms_that_are_no_calls_of_ours(self, http: httpx.AsyncClient) -> None:
        for call_id in (NOBODY, "elsewhere"):
            assert (await tell(http, notice("room_started", call_id))).status_code == 200


class TestPeople:
    async def test_who_joins_starts_the_call(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        raw = notice("participant_joined", call["id"], guest(call["participants"][0]))
        assert (await tell(http, raw)).status_code == 200
        assert (await detail(acme, call))["status"] == "in_progress"
        assert await statuses(acme, call) == {"ann": ("active", None), "bob": ("joining", None)}

    async def test_are_known_by_their_identity_where_their_id_is_not_told(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        await tell(http, notice("participant_joined", call["id"], {"identity": "bob", "sid": "PA_9"}))
        await tell(http, notice("participant_joined", call["id"], {"identity": "stranger", "sid": "PA_8"}))
        assert await statuses(acme, call) == {"ann": ("joining", None), "bob": ("active", None)}

    @pytest.mark.parametrize(
        ("told", "reason"),
        [
            ("CLIENT_INITIATED", "user_disconnect"),
            (1, "user_disconnect"),
            ("PARTICIPANT_REMOVED", "removed"),
            ("CONNECTION_TIMEOUT", "connection_lost"),
            ("SIGNAL_CLOSE", "connection_lost"),
            (14, "connection_lost"),
            ("SOMETHING_NEW", "connection_lost"),
            (None, "user_disconnect"),
        ],
    )
    async def test_leave_for_livekit_s_reason_and_the_call_goes_on(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any], told: Any, reason: str
    ) -> None:
        ann, bob = call["participants"]
        for person in (ann, bob):
            await tell(http, notice("participant_joined", call["id"], guest(person, f"PA_{person['id']}")))
        left = guest(ann, f"PA_{ann['id']}", **({"disconnectReason": told} if told is not None else {}))
        await tell(http, notice("participant_left", call["id"], left))
        assert await statuses(acme, call) == {"ann": ("left", reason), "bob": ("active", None)}
        assert (await detail(acme, call))["status"] == "in_progress"

    async def test_when_the_last_leaves_the_call_is_completed(
        self, http: httpx.AsyncClient, acme: Customer, database: Database, call: dict[str, Any]
    ) -> None:
        people = call["participants"]
        for kind in ("participant_joined", "participant_left"):
            for person in people:
                await tell(http, notice(kind, call["id"], guest(person, person["id"])))
        shown = await detail(acme, call)
        assert (shown["status"], shown["end_reason"]) == ("completed", "user_disconnect")

    async def test_a_notice_that_comes_twice_counts_once(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        ann, bob = call["participants"]
        await tell(http, notice("participant_joined", call["id"], guest(bob, "PA_b")))
        joined = notice("participant_joined", call["id"], guest(ann), id="EV_1")
        for raw in (joined, notice("participant_left", call["id"], guest(ann)), joined):
            assert (await tell(http, raw)).status_code == 200
        assert (await statuses(acme, call))["ann"] == ("left", "user_disconnect")

    async def test_who_reloads_a_page_stays_in_the_call(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        ann = call["participants"][0]
        await tell(http, notice("participant_joined", call["id"], guest(ann, "PA_1")))
        await tell(http, notice("participant_joined", call["id"], guest(ann, "PA_2")))
        replaced = guest(ann, "PA_1", disconnectReason="DUPLICATE_IDENTITY")
        await tell(http, notice("participant_left", call["id"], replaced))
        assert (await statuses(acme, call))["ann"] == ("active", None)
        await tell(http, notice("participant_left", call["id"], guest(ann, "PA_2")))
        assert (await statuses(acme, call))["ann"] == ("left", "user_disconnect")

    async def test_who_leaves_and_comes_again_is_in_since_the_first_time(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        ann, bob = call["participants"]
        await tell(http, notice("participant_joined", call["id"], guest(bob, "PA_b")))
        for kind, sid in (("participant_joined", "PA_1"), ("participant_left", "PA_1"), ("participant_joined", "PA_2")):
            await tell(http, notice(kind, call["id"], guest(ann, sid)))
        assert (await statuses(acme, call))["ann"] == ("active", None)

    async def test_news_of_the_end_may_overtake_that_of_the_beginning(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        ann, bob = call["participants"]
        await tell(http, notice("participant_joined", call["id"], guest(bob, "PA_b")))
        for kind in ("participant_left", "participant_joined"):
            await tell(http, notice(kind, call["id"], guest(ann, "PA_1")))
        assert (await statuses(acme, call))["ann"][0] == "left"

    async def test_of_a_phone_the_room_decides_nothing(self, http: httpx.AsyncClient, acme: Customer) -> None:
        made = await acme.post("/v1/calls", {"agent_id": await acme.new_agent(), "participants": [phone()]})
        call = made.json()
        (person,) = call["participants"]
        for kind in ("participant_joined", "participant_left"):
            await tell(http, notice(kind, call["id"], {"identity": person["id"], "sid": "PA_1"}))
        assert (await detail(acme, call))["participants"][0]["status"] == "queued"


class TestTheRoom:
    async def test_that_goes_away_under_people_ends_the_call(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        await tell(http, notice("participant_joined", call["id"], guest(call["participants"][0])))
        await tell(http, notice("room_finished", call["id"]))
        shown = await detail(acme, call)
        assert (shown["status"], shown["end_reason"]) == ("completed", "room_closed")

    async def test_that_nobody_came_to_may_be_opened_again(
        self, http: httpx.AsyncClient, acme: Customer, call: dict[str, Any]
    ) -> None:
        await tell(http, notice("room_finished", call["id"]))
        assert (await detail(acme, call))["status"] == "connecting"


class TestTheAgent:
    async def test_is_shown_as_present(
        self, http: httpx.AsyncClient, acme: Customer, database: Database, call: dict[str, Any]
    ) -> None:
        agent = await with_agent(database, call)
        await tell(http, notice("participant_joined", call["id"], {"identity": agent["id"], "sid": "PA_a"}))
        assert (await statuses(acme, call))[agent["identity"]] == ("active", None)
        assert (await detail(acme, call))["status"] == "connecting"

    async def test_that_leaves_is_replaced(
        self, http: httpx.AsyncClient, acme: Customer, database: Database, call: dict[str, Any]
    ) -> None:
        agent = await with_agent(database, call)
        who = {"identity": agent["id"], "sid": "PA_a"}
        await tell(http, notice("participant_joined", call["id"], guest(call["participants"][0])))
        await tell(http, notice("participant_joined", call["id"], who))
        for _ in range(2):
            await tell(http, notice("participant_left", call["id"], {**who, "disconnectReason": "AGENT_ERROR"}))
        assert (await statuses(acme, call))[agent["identity"]] == ("left", "connection_lost")
        assert f"dispatch-{call['id']}-2" in await jobs_in(database, "rooms")

    async def test_is_not_replaced_in_a_call_that_is_over(
        self, http: httpx.AsyncClient, acme: Customer, database: Database, call: dict[str, Any]
    ) -> None:
        agent = await with_agent(database, call)
        who = {"identity": agent["id"], "sid": "PA_a"}
        await tell(http, notice("participant_joined", call["id"], who))
        await acme.post(f"/v1/calls/{call['id']}/end")
        await tell(http, notice("participant_left", call["id"], who))
        assert f"dispatch-{call['id']}-2" not in await jobs_in(database, "rooms")

    async def test_that_is_lost_again_and_again_ends_the_call(
        self, http: httpx.AsyncClient, acme: Customer, database: Database, call: dict[str, Any]
    ) -> None:
        await tell(http, notice("participant_joined", call["id"], guest(call["participants"][0])))
        ends = []
        for number in range(1, 7):
            agent = await with_agent(database, call, number)
            who = {"identity": agent["id"], "sid": f"PA_{number}"}
            await tell(http, notice("participant_joined", call["id"], who))
            await tell(http, notice("participant_left", call["id"], who))
            ends.append((await detail(acme, call))["end_reason"])
        assert ends == [None] * 5 + ["agent_lost"]

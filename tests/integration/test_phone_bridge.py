"""Who is let in at the gateway, and what is put on record of them. `telephony/bridge/leg_door.py`, `leg_record.py`."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from tests.support.asking import CLOCK, SECRET, Customer, new_customer, phone, settings_for_tests
from tests.support.calling import jobs_in
from tests.support.clocks import SetClock
from twilio.request_validator import RequestValidator

from rymi_server.calls import store as calls
from rymi_server.entrypoints.carriers import connections_of
from rymi_server.foundation.database import Database
from rymi_server.foundation.ids import LegId
from rymi_server.telephony import connection_store, store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.bridge.guests import Ending, Guest, Knock
from rymi_server.telephony.bridge.leg_door import LegDoor
from rymi_server.telephony.bridge.leg_record import LegRecord
from rymi_server.telephony.carriers.carrier import Credentials
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.media_tokens import MediaTokens
from rymi_server.telephony.models import Connection, LegStatus

ADDRESSES = CarrierAddresses.under("https://voice.example.com", "wss://media.example.com", SECRET)
TOKENS = MediaTokens.under(SECRET)
AUTH_TOKEN = "twilio-auth-token"


@pytest.fixture
async def acme(database: Database, http: httpx.AsyncClient) -> Customer:
    return await new_customer(database, http)


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    connections = connections_of(settings_for_tests(), CLOCK)
    yield connections
    await connections.close()


@pytest.fixture
async def leg_id(database: Database, acme: Customer, connections: Connections) -> LegId:
    """A leg that Twilio has been given the document for: its socket may come."""
    body = {"agent_id": await acme.new_agent(), "participants": [phone()]}
    leg_id = LegId((await acme.post("/v1/calls", body)).json()["participants"][0]["telephony_leg_id"])
    async with database.transaction() as tx:
        connection = Connection(
            id="con_1",
            tenant_id=acme.tenant.id,
            provider="twilio",
            account_id="AC1",
            account_name="Acme",
            account_country=None,
            is_trial=False,
            sealed_credentials=connections.seal(acme.tenant.id, Credentials("AC1", AUTH_TOKEN)),
            provisioned_for="https://voice.example.com",
            calls_per_second=None,
            concurrent_calls=None,
            created_at=CLOCK.now(),
            disconnected_at=None,
            released_at=None,
        )
        await connection_store.add(tx, connection)
        await store.change(
            tx, leg_id, provider="twilio", connection_id="con_1", provider_call_id="CA1", media_offered_at=CLOCK.now()
        )
    return leg_id


async def token_of(database: Database, leg_id: LegId) -> str:
    async with database.transaction() as tx:
        return TOKENS.issue(await store.get(tx, leg_id))


def knock(leg_id: LegId, token: str, *, carrier: str = "twilio", signed_by: str = AUTH_TOKEN) -> Knock:
    address = ADDRESSES.of_media("twilio", leg_id, token)
    signature = RequestValidator(signed_by).compute_signature(address, {})
    return Knock(carrier, leg_id, token, {"x-twilio-signature": signature})


class TestTheDoor:
    @pytest.fixture
    def clock(self) -> SetClock:
        return SetClock.from_now()

    @pytest.fixture
    def door(self, database: Database, connections: Connections, clock: SetClock) -> LegDoor:
        return LegDoor(database, connections, ADDRESSES, TOKENS, clock)

    async def test_opens_for_the_carriers_signature_and_the_legs_token(
        self, database: Database, acme: Customer, leg_id: LegId, door: LegDoor
    ) -> None:
        guest = await door.admit(knock(leg_id, await token_of(database, leg_id)))
        assert guest is not None
        assert (guest.leg_id, guest.tenant_id, guest.participant.identity) == (leg_id, acme.tenant.id, "+15551234567")

    async def test_opens_once_more_for_a_socket_that_broke_and_then_never(
        self, database: Database, leg_id: LegId, door: LegDoor
    ) -> None:
        token = await token_of(database, leg_id)
        assert [bool(await door.admit(knock(leg_id, token))) for _ in range(3)] == [True, True, False]

    async def test_stays_shut_for_a_forged_signature_and_the_token_stays_good(
        self, database: Database, leg_id: LegId, door: LegDoor
    ) -> None:
        token = await token_of(database, leg_id)
        assert await door.admit(knock(leg_id, token, signed_by="another")) is None
        assert await door.admit(Knock("twilio", leg_id, token, {})) is None
        assert await door.admit(knock(leg_id, token)) is not None

    async def test_stays_shut_for_what_is_wrong_or_unknown(
        self, database: Database, leg_id: LegId, door: LegDoor
    ) -> None:
        token = await token_of(database, leg_id)
        assert await door.admit(knock(leg_id, "0" * 32)) is None
        assert await door.admit(knock(LegId("leg_unknown"), token)) is None
        assert await door.admit(knock(leg_id, token, carrier="plivo")) is None

    async def test_stays_shut_once_it_is_too_late(
        self, database: Database, leg_id: LegId, door: LegDoor, clock: SetClock
    ) -> None:
        clock.pass_by(seconds=timedelta(minutes=3).total_seconds())
        assert await door.admit(knock(leg_id, await token_of(database, leg_id))) is None

    async def test_stays_shut_for_a_leg_that_is_over(self, database: Database, leg_id: LegId, door: LegDoor) -> None:
        token = await token_of(database, leg_id)
        async with database.transaction() as tx:
            await store.change(tx, leg_id, status=LegStatus.COMPLETED)
        assert await door.admit(knock(leg_id, token)) is None


class TestTheRecord:
    @pytest.fixture
    async def guest(self, database: Database, connections: Connections, leg_id: LegId) -> Guest:
        door = LegDoor(database, connections, ADDRESSES, TOKENS, CLOCK)
        guest = await door.admit(knock(leg_id, await token_of(database, leg_id)))
        assert guest is not None
        return guest

    async def test_has_the_phone_in_and_out_and_hung_up(self, database: Database, acme: Customer, guest: Guest) -> None:
        record = LegRecord(database, CLOCK)
        assert await record.bridged(guest)
        call = (await acme.get(f"/v1/calls/{guest.call_id}")).json()
        assert call["status"] == "in_progress"
        await record.unbridged(guest, Ending.HUNG_UP)
        await record.unbridged(guest, Ending.HUNG_UP)
        call = (await acme.get(f"/v1/calls/{guest.call_id}")).json()
        assert (call["status"], call["end_reason"]) == ("completed", "user_disconnect")
        assert await jobs_in(database, "carriers") != []

    async def test_says_that_a_call_that_is_over_wants_nobody(
        self, database: Database, acme: Customer, guest: Guest
    ) -> None:
        await acme.post(f"/v1/calls/{guest.call_id}/end")
        assert not await LegRecord(database, CLOCK).bridged(guest)

    async def test_leaves_a_phone_that_another_gateway_took_over(self, database: Database, guest: Guest) -> None:
        record = LegRecord(database, CLOCK)
        await record.bridged(guest)
        await record.unbridged(guest, Ending.REPLACED)
        async with database.transaction() as tx:
            people = await calls.participants_of(tx, guest.call_id)
        assert [person.left_at for person in people] == [None]

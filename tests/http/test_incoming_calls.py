"""What carriers are told of a call that comes in: their signatures are real, and who signs is each time said."""

from urllib.parse import urlencode

import httpx
from tests.support.asking import CLOCK, SECRET, Customer, settings_for_tests

from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import Seal
from rymi_server.telephony import connection_store
from rymi_server.telephony.carriers.carrier import Credentials
from rymi_server.telephony.carriers.twilio.signatures import sign
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.models import Connection
from rymi_server.telephony.terms import CarrierHosts

NUMBER = "+15559876543"
ADDRESSES = settings_for_tests().carrier_addresses()


async def connect(database: Database, customer: Customer, connection_id: str) -> Credentials:
    """An account of the customer's own at Twilio."""
    account = Credentials(f"AC-{connection_id}", f"the-token-of-{connection_id}")
    async with httpx.AsyncClient() as nobody:
        sealed = Connections(nobody, CarrierHosts(), {}, Seal.from_text(SECRET), CLOCK).seal(
            customer.tenant.id, account
        )
    connection = Connection(
        id=connection_id,
        tenant_id=customer.tenant.id,
        provider="twilio",
        account_id=account.account_id,
        account_name="theirs",
        account_country=None,
        is_trial=False,
        sealed_credentials=sealed,
        provisioned_for=ADDRESSES.public,
        calls_per_second=None,
        concurrent_calls=None,
        created_at=CLOCK.now(),
        disconnected_at=None,
        released_at=None,
    )
    async with database.transaction() as tx:
        await connection_store.add(tx, connection)
    return account


async def comes_in(http: httpx.AsyncClient, connection_id: str, account: Credentials, call: str) -> str:
    """What the carrier is told to do with a call of that name."""
    url = ADDRESSES.of_connection("twilio", connection_id).answer
    fields = {"CallSid": call, "From": "+15550001111", "To": NUMBER, "CallStatus": "ringing"}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Twilio-Signature": sign(account.secret, url, {name: [value] for name, value in fields.items()}),
    }
    answer = await http.post(url.removeprefix(ADDRESSES.public), content=urlencode(fields), headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.text


class TestACallThatComesIn:
    async def test_is_nobody_elses_who_knows_its_name(
        self, database: Database, http: httpx.AsyncClient, acme: Customer, rival: Customer
    ) -> None:
        ours, theirs = await connect(database, acme, "con_acme"), await connect(database, rival, "con_rival")
        await acme.post("/v1/numbers", {"number": NUMBER, "agent_id": await acme.new_agent()})
        answered = await comes_in(http, "con_acme", ours, "CA1")
        (call,) = (await acme.get("/v1/calls")).json()["calls"]
        (person,) = (await acme.get(f"/v1/calls/{call['id']}")).json()["participants"]
        assert f"/{person['telephony_leg']['id']}/" in answered
        refused = await comes_in(http, "con_rival", theirs, "CA1")
        assert "<Reject" in refused
        assert "leg_" not in refused
        assert f"/{person['telephony_leg']['id']}/" in await comes_in(http, "con_acme", ours, "CA1")
        assert (await acme.get("/v1/calls")).json()["total"] == 1
        assert (await rival.get("/v1/calls")).json()["total"] == 0

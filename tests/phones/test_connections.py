"""A connected account over time: its numbers come to us and go back, whatever is restarted or moved meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Protocol

import pytest
from tests.support.asking import Customer
from tests.support.phone_lab import CREDENTIALS, PhoneLab, phone_lab
from tests.support.waiting import somebody_waits_in, until

from carrierbox import stock
from rymi_server.entrypoints.carriers import connections_of
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.telephony import connection_store as store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.carriers.carrier import OutcomeUnknown
from rymi_server.telephony.number_routing import NumberRouting

each_carrier = pytest.mark.parametrize("provider", CREDENTIALS)
# Where a number pointed before we came, in each carrier's own words.
BEFORE: dict[str, dict[str, str]] = {
    "twilio": {"voice_url": "https://old.example.com/voice", "voice_method": "GET", "trunk_sid": "TK1"},
    "plivo": {},
    "vonage": {"voiceCallbackType": "tel", "voiceCallbackValue": "12025550123"},
}

THEIRS = "answered elsewhere"


@pytest.fixture
async def idle(own_database: Database) -> AsyncIterator[PhoneLab]:
    async with phone_lab(own_database, works=False) as lab:
        yield lab


class NewRouting(Protocol):
    def __call__(self, lab: PhoneLab, public: str | None = None) -> NumberRouting:
        """The jobs of a worker that believes to be reached at `public`."""
        ...


@pytest.fixture
async def routing() -> AsyncIterator[NewRouting]:
    async with AsyncExitStack() as opened:

        def new(lab: PhoneLab, public: str | None = None) -> NumberRouting:
            settings = lab.settings
            connections = connections_of(settings, SystemClock())
            opened.push_async_callback(connections.close)
            addresses = CarrierAddresses.under(public or settings.public_base_url, None, settings.secret)
            return NumberRouting(lab.database, connections, addresses, SystemClock())

        yield new


def at_carrier(lab: PhoneLab, provider: str) -> dict[str, str]:
    """What the carrier has of the first number."""
    number = stock.NUMBERS[provider][0]
    account = {"twilio": stock.TWILIO_SID, "plivo": stock.PLIVO_ID, "vonage": stock.VONAGE_KEY}[provider]
    found = lab.box.box.numbers.owned(provider, account, number)
    assert found is not None
    return found.settings


def set_up(lab: PhoneLab, provider: str) -> dict[str, str]:
    settings = at_carrier(lab, provider)
    settings.clear()
    settings.update(BEFORE[provider])
    if provider == "plivo":
        theirs = lab.box.box._plivo_applications.create(
            stock.PLIVO_ID, THEIRS, {"answer_url": "https://old.example.com"}
        )
        settings["app_id"] = theirs.id
    return dict(settings)


async def connected(lab: PhoneLab, provider: str) -> tuple[Customer, dict[str, str]]:
    """A tenant whose first number is answered by an agent; and the job that routes it."""
    acme = await lab.customer(provider)
    await acme.post("/v1/numbers", {"number": stock.NUMBERS[provider][0], "agent_id": await acme.new_agent()})
    return acme, await job_of(lab, acme)


async def job_of(lab: PhoneLab, acme: Customer) -> dict[str, str]:
    async with lab.database.transaction() as tx:
        connection = await store.active_of(tx, acme.tenant.id)
    assert connection is not None
    return {"connection_id": connection.id}


@each_carrier
class TestANumber:
    async def test_comes_to_us_once_an_agent_answers_it_and_goes_back_when_it_is_removed(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, job = await connected(idle, provider)
        jobs = routing(idle)
        await jobs.route(job)
        await jobs.route(job)
        ours = dict(at_carrier(idle, provider))
        assert ours != before
        (listed,) = (await acme.get("/v1/numbers")).json()["numbers"]
        assert (listed["webhook_status"], listed["provider"]) == ("configured", provider)
        await acme.ask("DELETE", f"/v1/numbers/{stock.NUMBERS[provider][0]}")
        await jobs.route(job)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_goes_back_on_disconnect_and_what_we_made_is_taken_away(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, job = await connected(idle, provider)
        jobs = routing(idle)
        await jobs.route(job)
        await acme.post("/v1/telephony/disconnect")
        await jobs.release(job)
        await jobs.release(job)
        assert same_routing(at_carrier(idle, provider), before)
        box = idle.box.box
        assert {each.name for each in box._plivo_applications.of_account(stock.PLIVO_ID)} <= {THEIRS}
        assert box._vonage_applications.of_account(stock.VONAGE_KEY) == []

    async def test_stays_with_us_when_the_same_account_is_connected_again_and_still_goes_back(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, first = await connected(idle, provider)
        jobs = routing(idle)
        await jobs.route(first)
        assert (await acme.post("/v1/telephony/connect", CREDENTIALS[provider])).status_code == 200
        second = await job_of(idle, acme)
        await jobs.route(second)
        await jobs.release(first)
        ours = dict(at_carrier(idle, provider))
        assert not same_routing(ours, before)
        await acme.post("/v1/telephony/disconnect")
        await jobs.release(second)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_stays_where_it_is_when_the_connection_ends_while_a_job_is_about_to_route_it(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        """As when an account is connected again: the number is the next connection's by then."""
        before = set_up(idle, provider)
        acme, job = await connected(idle, provider)
        async with idle.database.transaction() as tx:
            (number, *_) = await store.numbers_of(tx, job["connection_id"])
            await store.lock_number(tx, number.id)
            late = asyncio.create_task(routing(idle).route(job))
            await until("the job waits for the number", lambda: somebody_waits_in(idle.database))
            await store.disconnect(tx, acme.tenant.id, datetime.now(UTC))
        await late
        assert same_routing(at_carrier(idle, provider), before)

    async def test_goes_back_where_it_was_although_it_was_not_given_back_between_two_connections(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, first = await connected(idle, provider)
        jobs = routing(idle)
        await jobs.route(first)
        await acme.post("/v1/telephony/disconnect")
        assert (await acme.post("/v1/telephony/connect", CREDENTIALS[provider])).status_code == 200
        second = await job_of(idle, acme)
        await jobs.route(second)
        await jobs.release(first)
        assert not same_routing(dict(at_carrier(idle, provider)), before)
        await acme.post("/v1/telephony/disconnect")
        await jobs.release(second)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_goes_back_although_the_carrier_routed_it_without_saying_so(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, job = await connected(idle, provider)
        jobs = routing(idle)
        await idle.fault(target="rest", act="hang_after", event="update_number", ms=50, times=1)
        with pytest.raises(OutcomeUnknown):
            await jobs.route(job)
        await jobs.route(job)
        await acme.ask("DELETE", f"/v1/numbers/{stock.NUMBERS[provider][0]}")
        await jobs.route(job)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_goes_back_although_a_worker_died_while_the_carrier_routed_it(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, job = await connected(idle, provider)
        await self._routed_by_a_worker_that_dies(idle, provider, routing, job)
        jobs = routing(idle)
        await jobs.route(job)
        await acme.post("/v1/telephony/disconnect")
        await jobs.release(job)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_goes_back_although_it_is_removed_before_anybody_knows_that_it_came_to_us(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, job = await connected(idle, provider)
        await self._routed_by_a_worker_that_dies(idle, provider, routing, job)
        await acme.ask("DELETE", f"/v1/numbers/{stock.NUMBERS[provider][0]}")
        await routing(idle).route(job)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_goes_back_although_the_account_is_connected_again_before_anybody_knows_that_it_came_to_us(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        acme, first = await connected(idle, provider)
        await self._routed_by_a_worker_that_dies(idle, provider, routing, first)
        assert (await acme.post("/v1/telephony/connect", CREDENTIALS[provider])).status_code == 200
        second = await job_of(idle, acme)
        jobs = routing(idle)
        await jobs.route(second)
        await jobs.release(first)
        await acme.post("/v1/telephony/disconnect")
        await jobs.release(second)
        assert same_routing(at_carrier(idle, provider), before)

    async def _routed_by_a_worker_that_dies(
        self, lab: PhoneLab, provider: str, routing: NewRouting, job: dict[str, str]
    ) -> None:
        """It is gone before the carrier has answered, which has done it."""
        before = dict(at_carrier(lab, provider))
        await lab.fault(target="rest", act="hang_after", event="update_number", ms=600_000, times=1)
        worker = asyncio.create_task(routing(lab).route(job))

        async def routed() -> bool:
            return at_carrier(lab, provider) != before

        await until("the carrier to have routed the number", routed)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await worker

    async def test_goes_back_where_its_owner_pointed_it_after_the_carrier_had_refused_to_route_it(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        before = set_up(idle, provider)
        at_carrier(idle, provider).clear()
        acme, job = await connected(idle, provider)
        jobs = routing(idle)
        await idle.fault(target="rest", act="status", status=400, event="update_number", times=1)
        await jobs.route(job)
        at_carrier(idle, provider).update(before)
        await jobs.route(job)
        await acme.ask("DELETE", f"/v1/numbers/{stock.NUMBERS[provider][0]}")
        await jobs.route(job)
        assert same_routing(at_carrier(idle, provider), before)

    async def test_follows_us_to_another_address(self, idle: PhoneLab, provider: str, routing: NewRouting) -> None:
        set_up(idle, provider)
        _, job = await connected(idle, provider)
        jobs = routing(idle)
        await jobs.route(job)
        moved = routing(idle, "https://moved.example.com")
        await moved.refresh(job)
        await moved.route(job)
        assert "https://moved.example.com/carriers/" in self.answer_address(idle, provider)

    def answer_address(self, lab: PhoneLab, provider: str) -> str:
        settings, box = at_carrier(lab, provider), lab.box.box
        if provider == "twilio":
            return settings["voice_url"]
        if provider == "plivo":
            plivo = box._plivo_applications.find(stock.PLIVO_ID, settings["app_id"])
            assert plivo is not None
            return plivo.get("answer_url")
        vonage = box._vonage_applications.find(stock.VONAGE_KEY, settings["app_id"])
        assert vonage is not None
        return vonage.webhook("answer_url", "POST").address

    async def test_that_the_carrier_will_not_route_says_why(
        self, idle: PhoneLab, provider: str, routing: NewRouting
    ) -> None:
        acme, job = await connected(idle, provider)
        jobs = routing(idle)
        await idle.fault(target="rest", act="status", status=400, event="update_number", times=1)
        await jobs.route(job)
        (listed,) = (await acme.get("/v1/numbers")).json()["numbers"]
        assert listed["webhook_status"] == "failed"
        assert listed["webhook_error"]
        await jobs.route(job)
        assert (await acme.get("/v1/numbers")).json()["numbers"][0]["webhook_status"] == "configured"


class TestTheWorker:
    async def test_notices_numbers_that_were_bought_meanwhile(self, lab: PhoneLab, routing: NewRouting) -> None:
        acme = await lab.customer("twilio")
        bought = {"carrier": "twilio", "account_id": stock.TWILIO_SID, "number": "+12025557001"}
        await lab.box.send("POST", "/numbers", bought)
        jobs = routing(lab)
        await jobs.refresh(await job_of(lab, acme))

        async def listed() -> bool:
            numbers = (await acme.get("/v1/telephony/numbers")).json()["numbers"]
            return any(each["phone_number"] == "+12025557001" for each in numbers)

        await until("the new number to be listed", listed)


def same_routing(settings: dict[str, str], before: dict[str, str]) -> bool:
    """What was not set at all may be set to nothing now."""
    said = {name: value for name, value in settings.items() if value and not name.endswith("_method")}
    return said == {name: value for name, value in before.items() if value and not name.endswith("_method")}

"""What every carrier keeps: `telephony/carriers/carrier.py`, asked of the carrier's own API in a box."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
import pytest
from tests.carrierbox.customer import Customer, Received
from tests.carrierbox.lab import Lab
from tests.support.waiting import until

from carrierbox.box import Box
from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from carrierbox.settings import Settings as BoxSettings
from rymi_server.foundation.errors import Unavailable
from rymi_server.foundation.ids import LegId
from rymi_server.telephony.carriers.asking import new_client
from rymi_server.telephony.carriers.carrier import (
    AnsweredBy,
    Carrier,
    CarrierRefused,
    CarrierThrottled,
    CarrierUnreachable,
    Credentials,
    CredentialsRefused,
    Dial,
    Document,
    LegReport,
    MediaOffer,
    OutcomeUnknown,
    PlacedCall,
    Refusal,
    Search,
    SignedRequest,
)
from rymi_server.telephony.carriers.hooks import AccountAddresses, Hook, LegAddresses
from rymi_server.telephony.carriers.registry import CARRIERS, CarrierKind
from rymi_server.telephony.models import LegReason, LegStatus
from rymi_server.telephony.terms import CarrierHosts

FAST = BoxSettings(
    port=0, twilio_calls_per_second=500, plivo_calls_per_second=500, vonage_calls_per_second=500, max_calls=200
)
SILENT, STRANGER, BUSY, NOBODY, REJECTS, VOICEMAIL = (
    "+12025550132",
    "+12025550140",
    "+12025550101",
    "+12025550102",
    "+12025550103",
    "+12025550104",
)


def signed(received: Received) -> SignedRequest:
    headers = {name.lower(): value for name, value in received.headers.items()}
    return SignedRequest(received.method, received.url, headers, received.body)


def now() -> datetime:
    return datetime.now(UTC)


class CarrierPromise:
    """Inherited for each carrier, which says who it is and how its box is opened."""

    provider: str
    credentials: Credentials
    own_numbers: tuple[str, ...]
    # Where these are not what everybody calls them.
    unreachable_reason = LegReason.INVALID_NUMBER

    @pytest.fixture
    async def lab(self, http: aiohttp.ClientSession, customer: Customer) -> AsyncIterator[Lab]:
        async with serving(FAST, SteadyClock(4)) as (box, address):
            lab = Lab(http, box, address)
            await lab.script(SILENT, {"do": "wait", "ms": 60_000})
            yield lab

    @pytest.fixture
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        async with new_client() as client:
            yield client

    @property
    def kind(self) -> CarrierKind:
        return CARRIERS[self.provider]

    def open(self, lab: Lab, client: httpx.AsyncClient, credentials: Credentials | None = None) -> Carrier:
        at = lab.address
        hosts = CarrierHosts(f"{at}/twilio", f"{at}/plivo", f"{at}/vonage", f"{at}/vonage")
        return self.kind.open(client, hosts, credentials or self.credentials, now)

    @pytest.fixture
    async def ready(self, lab: Lab, client: httpx.AsyncClient, customer: Customer) -> Credentials:
        """What calls are made with: the credentials with what was provisioned."""
        return await self.open(lab, client).provision(self.account_addresses(customer))

    @pytest.fixture
    def carrier(self, lab: Lab, client: httpx.AsyncClient, ready: Credentials) -> Carrier:
        return self.open(lab, client, ready)

    def account_addresses(self, customer: Customer, name: str = "rymi con_1") -> AccountAddresses:
        ours = f"{customer.address}/carriers/{self.provider}/con_1/key"
        return AccountAddresses(name, f"{ours}/answer", f"{ours}/status")

    def dial(self, customer: Customer, to: str, **more: Any) -> Dial:
        at = f"{customer.address}/legs/leg_1/key"
        addresses = LegAddresses(f"{at}/answer", f"{at}/status", f"{at}/machine", f"{at}/stream")
        return Dial(LegId("leg_1"), self.own_numbers[0], to, addresses, **more)

    def talks(self, customer: Customer, ready: Credentials) -> None:
        """Answered calls are connected to the customer's socket."""
        offer = MediaOffer(f"{customer.media}/{self.provider}/leg_1/t0ken", "t0ken", f"{customer.address}/stream")
        self.says(customer, self.kind.wire.connect(offer, ready))

    def says(self, customer: Customer, document: Document, path: str = "/legs/leg_1/key/answer") -> None:
        customer.documents[path] = (document.content_type, document.body)

    async def reports(self, customer: Customer, path: str = "/legs/leg_1/key/status") -> list[LegReport]:
        found = [self.kind.wire.read_report(Hook.STATUS, signed(each)) for each in customer.at(path)]
        return [each for each in found if each]

    async def report_of(self, customer: Customer, status: LegStatus) -> LegReport:
        async def came() -> bool:
            return any(each.status is status for each in await self.reports(customer))

        await until(f"a report of {status}", came)
        return next(each for each in await self.reports(customer) if each.status is status)

    # --- accounts and numbers ---

    async def test_opens_its_account(self, lab: Lab, client: httpx.AsyncClient) -> None:
        account = await self.open(lab, client).account()
        assert account.name
        assert not account.is_trial

    async def test_is_refused_with_a_wrong_secret_and_for_a_strange_account(
        self, lab: Lab, client: httpx.AsyncClient
    ) -> None:
        stranger = self.credentials.account_id[:-1] + "9"
        for wrong in (replace(self.credentials, secret="no"), replace(self.credentials, account_id=stranger)):
            with pytest.raises(CredentialsRefused):
                await self.open(lab, client, wrong).account()

    async def test_lists_every_number_however_many_pages_there_are(self, lab: Lab, client: httpx.AsyncClient) -> None:
        more = [f"+1202555{7000 + index}" for index in range(115)]
        for number in more:
            await self.add_number(lab, number)
        found = await self.open(lab, client).numbers()
        assert sorted(each.number for each in found) == sorted([*more, *self.own_numbers])

    async def test_leaves_out_numbers_that_take_no_calls(self, lab: Lab, client: httpx.AsyncClient) -> None:
        await self.add_number(lab, "+12025557000", voice=False)
        found = await self.open(lab, client).numbers()
        assert sorted(each.number for each in found) == sorted(self.own_numbers)

    async def add_number(self, lab: Lab, number: str, **more: Any) -> None:
        owner = {"carrier": self.provider, "account_id": self.credentials.account_id}
        await lab.send("POST", "/numbers", {**owner, "number": number, **more})

    async def test_answers_calls_to_an_attached_number_and_gives_the_number_back(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        at = self.account_addresses(customer)
        path = f"/carriers/{self.provider}/con_1/key/answer"
        self.says(customer, self.kind.wire.hang_up(), path)
        number = next(each for each in await carrier.numbers() if each.number == self.own_numbers[0])
        before = await carrier.routing(number, at)
        assert before is not None
        for _ in range(2):
            await carrier.attach(number, at)
            assert await carrier.routing(number, at) is None
        await lab.send("POST", "/calls", {"carrier": self.provider, "to": number.number, "from": "+12025550188"})
        asked = signed(await customer.wait_for_webhook(path))
        assert self.kind.wire.verifies(ready, asked, now())
        incoming = self.kind.wire.read_incoming(asked)
        assert incoming is not None
        assert (incoming.from_number, incoming.to_number) == ("+12025550188", number.number)
        await carrier.restore(number, before, self.account_addresses(customer).answer)
        assert not self.points_to_us(lab, number.number, ready)

    async def test_leaves_a_number_alone_that_does_not_point_to_us_any_more(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        number = next(each for each in await carrier.numbers() if each.number == self.own_numbers[0])
        before = await carrier.routing(number, self.account_addresses(customer))
        assert before is not None
        await carrier.attach(number, self.account_addresses(customer))
        settings = lab.box.numbers.owned(self.provider, self.credentials.account_id, number.number)
        assert settings is not None
        settings.settings = dict(self.elsewhere(lab))
        await carrier.restore(number, before, self.account_addresses(customer).answer)
        assert settings.settings == dict(self.elsewhere(lab))

    def elsewhere(self, lab: Lab) -> dict[str, str]:
        """How a number is set that somebody else has taken."""
        raise NotImplementedError

    def points_to_us(self, lab: Lab, number: str, ready: Credentials) -> bool:
        raise NotImplementedError

    async def test_makes_what_it_needs_once(
        self, lab: Lab, client: httpx.AsyncClient, customer: Customer, ready: Credentials
    ) -> None:
        again = await self.open(lab, client, ready).provision(self.account_addresses(customer))
        assert again == ready

    async def test_takes_away_what_it_made(self, carrier: Carrier) -> None:
        await carrier.unprovision()
        await carrier.unprovision()

    # --- calls ---

    async def test_rings_answers_and_ends_with_reports_that_are_signed(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        self.talks(customer, ready)
        call = await carrier.place_call(self.dial(customer, SILENT, detect_machine=True))
        socket = await customer.wait_for_socket()
        headers = {name.lower(): value for name, value in socket.headers.items()}
        handshake = SignedRequest("GET", socket.url, headers)
        assert self.kind.wire.verifies_socket(ready, handshake, "t0ken", now())
        assert not self.kind.wire.verifies_socket(ready, replace(handshake, headers={}), "t0ken", now())
        assert (await self.look_up(carrier, call)).status is LegStatus.IN_PROGRESS
        await carrier.hang_up(PlacedCall(call))
        ended = await self.report_of(customer, LegStatus.COMPLETED)
        assert ended.bill_seconds is not None
        assert {each.provider_call_id for each in await self.reports(customer)} == {call}
        for each in customer.received:
            assert self.kind.wire.verifies(ready, signed(each), now()), each.path
        await carrier.hang_up(PlacedCall(call))
        assert (await self.look_up(carrier, call)).status is LegStatus.COMPLETED

    async def look_up(self, carrier: Carrier, call: str) -> LegReport:
        found = await carrier.look_up(PlacedCall(call))
        assert found is not None
        return found

    @pytest.mark.parametrize(
        ("number", "reason"),
        [(BUSY, LegReason.BUSY), (NOBODY, LegReason.NO_ANSWER), (REJECTS, LegReason.REJECTED)],
        ids=["busy", "no answer", "rejects"],
    )
    async def test_says_why_nobody_came(
        self, lab: Lab, customer: Customer, carrier: Carrier, number: str, reason: LegReason
    ) -> None:
        await carrier.place_call(self.dial(customer, number, ring_seconds=5))
        assert (await self.report_of(customer, LegStatus.FAILED)).reason is reason

    async def test_says_that_a_number_does_not_exist(self, lab: Lab, customer: Customer, carrier: Carrier) -> None:
        await lab.script("+12025550133", pickup="unreachable")
        await carrier.place_call(self.dial(customer, "+12025550133"))
        assert (await self.report_of(customer, LegStatus.FAILED)).reason is self.unreachable_reason

    async def test_finds_out_that_a_machine_answered_while_the_call_goes_on(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        self.talks(customer, ready)
        await carrier.place_call(self.dial(customer, VOICEMAIL, detect_machine=True))
        await customer.wait_for_socket()

        async def told() -> bool:
            hooks = ((Hook.MACHINE, "/legs/leg_1/key/machine"), (Hook.STATUS, "/legs/leg_1/key/status"))
            found = [self.kind.wire.read_report(h, signed(each)) for h, path in hooks for each in customer.at(path)]
            return any(each and each.answered_by is AnsweredBy.MACHINE for each in found)

        await until("the verdict", told)

    async def test_rings_no_longer_than_it_is_told(self, lab: Lab, customer: Customer, carrier: Carrier) -> None:
        call = await carrier.place_call(self.dial(customer, NOBODY, ring_seconds=15))
        ended = await lab.call_until(call, "ended")
        rang = [each["ms"] for each in ended["timeline"] if each["event"] in ("ringing", "ended")]
        assert ended["reason"] == "no_answer"
        # Twilio lets it ring five seconds longer.
        assert 14_000 < rang[-1] - rang[0] < 22_000

    async def test_ends_a_call_at_its_limit(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        self.talks(customer, ready)
        call = await carrier.place_call(self.dial(customer, SILENT, limit_seconds=8))
        ended = await lab.call_until(call, "ended")
        assert (ended["reason"], 8 <= ended["duration_s"] < 12) == ("time_limit", True), ended["timeline"]

    async def test_refuses_to_call_from_a_number_that_is_not_the_accounts(
        self, customer: Customer, carrier: Carrier
    ) -> None:
        with pytest.raises(CarrierRefused):
            await carrier.place_call(replace(self.dial(customer, SILENT), from_number="+12025559999"))

    async def test_finds_a_call_again_by_its_numbers(self, customer: Customer, carrier: Carrier) -> None:
        since = now()
        call = await carrier.place_call(self.dial(customer, SILENT))
        search = Search(self.own_numbers[0], SILENT, since)
        await until("the call to be found", lambda: self._found(carrier, search, call))
        assert await carrier.find_calls(replace(search, to_number=STRANGER)) == []
        assert await carrier.find_calls(replace(search, from_number=STRANGER)) == []
        assert await carrier.find_calls(replace(search, since=since + timedelta(minutes=5))) in ([], [call])

    async def test_finds_it_among_many_others(self, customer: Customer, carrier: Carrier) -> None:
        """More than a carrier lists at once, before it and after it."""
        since = now()
        others = [await carrier.place_call(self.dial(customer, NOBODY)) for _ in range(5)]
        call = await carrier.place_call(self.dial(customer, SILENT))
        others += [await carrier.place_call(self.dial(customer, NOBODY)) for _ in range(105)]
        search = Search(self.own_numbers[0], SILENT, since)
        await until("the call to be found", lambda: self._found(carrier, search, call))
        assert list(await carrier.find_calls(replace(search, others=frozenset(others)))) == [call]

    async def _found(self, carrier: Carrier, search: Search, call: str) -> bool:
        return list(await carrier.find_calls(search)) == [call]

    async def test_knows_no_call_that_never_was(self, carrier: Carrier) -> None:
        assert await carrier.look_up(PlacedCall("00000000-0000-4000-8000-000000000000")) is None
        await carrier.hang_up(PlacedCall("00000000-0000-4000-8000-000000000000"))

    async def test_hands_a_call_over_to_another_document(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        self.talks(customer, ready)
        self.says(customer, self.kind.wire.forward(STRANGER, self.own_numbers[0]), "/forward")
        call = await carrier.place_call(self.dial(customer, SILENT))
        await customer.wait_for_socket()
        await carrier.transfer(PlacedCall(call), f"{customer.address}/forward")

        async def dialed() -> bool:
            return any(each["to"] == STRANGER for each in (await lab.get("/calls"))["calls"])

        await until("the other phone to ring", dialed)

    async def test_turns_an_incoming_call_down(
        self, lab: Lab, customer: Customer, carrier: Carrier, ready: Credentials
    ) -> None:
        self.says(
            customer,
            self.kind.wire.refuse(Refusal.BUSY, "Nobody is free."),
            f"/carriers/{self.provider}/con_1/key/answer",
        )
        number = next(each for each in await carrier.numbers() if each.number == self.own_numbers[0])
        await carrier.attach(number, self.account_addresses(customer))
        body = {"carrier": self.provider, "to": number.number, "from": "+12025550188"}
        call = await lab.send("POST", "/calls", body)
        ended = await lab.call_until(call["id"], "ended")
        assert not customer.sockets
        # Who cannot be busied out is told why, and let go.
        assert ended["reason"] in ("busy", "completed", "document_over"), ended["reason"]

    # --- faults ---

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            ({"act": "status", "status": 429}, CarrierThrottled),
            ({"act": "status", "status": 500}, OutcomeUnknown),
            ({"act": "status", "status": 502, "body": "<html>Bad gateway</html>"}, OutcomeUnknown),
            ({"act": "status", "status": 403}, CredentialsRefused),
            ({"act": "hang", "ms": 10}, OutcomeUnknown),
            ({"act": "hang_after", "ms": 10}, OutcomeUnknown),
        ],
        ids=lambda each: "-".join(str(v) for v in each.values())[:20] if isinstance(each, dict) else each.__name__,
    )
    async def test_says_how_placing_failed(
        self, lab: Lab, customer: Customer, carrier: Carrier, fault: dict[str, Any], error: type[Unavailable]
    ) -> None:
        await lab.send("POST", "/faults", {"target": "rest", "event": "place_call", "times": 1, **fault})
        with pytest.raises(error):
            await carrier.place_call(self.dial(customer, SILENT))
        happened = [each for each in (await lab.get("/calls"))["calls"] if each["to"] == SILENT]
        assert len(happened) == (1 if fault["act"] == "hang_after" else 0)

    async def test_is_unreachable_where_nothing_listens(
        self, customer: Customer, client: httpx.AsyncClient, lab: Lab, ready: Credentials
    ) -> None:
        down = "http://127.0.0.1:9"
        carrier = self.kind.open(client, CarrierHosts(down, down, down, down), ready, now)
        with pytest.raises(CarrierUnreachable):
            await carrier.place_call(self.dial(customer, SILENT))


def owned(box: Box, provider: str, account: str, number: str) -> dict[str, str]:
    found = box.numbers.owned(provider, account, number)
    assert found is not None
    return found.settings

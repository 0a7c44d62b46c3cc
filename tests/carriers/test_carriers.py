"""The three carriers keep what `carrier_promise` asks of them."""

from dataclasses import replace

import aiohttp
import httpx
from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.carriers.carrier_promise import FAST, NOBODY, SILENT, CarrierPromise, now, owned
from tests.support.waiting import until

from carrierbox import stock
from carrierbox.clock import SteadyClock
from carrierbox.server import serving
from rymi_server.telephony.carriers.carrier import Carrier, Credentials, OutcomeUnknown, Search


class TestTwilio(CarrierPromise):
    provider = "twilio"
    credentials = Credentials(stock.TWILIO_SID, stock.TWILIO_TOKEN)
    own_numbers = stock.NUMBERS["twilio"]

    def elsewhere(self, lab: Lab) -> dict[str, str]:
        return {"voice_url": "https://elsewhere.example.com/voice"}

    async def test_remembers_what_another_installation_of_ours_had(
        self, lab: Lab, customer: Customer, carrier: Carrier
    ) -> None:
        theirs = "https://elsewhere.example.com/carriers/twilio/con_9/key/answer"
        number = next(each for each in await carrier.numbers() if each.number == self.own_numbers[0])
        owned(lab.box, "twilio", self.credentials.account_id, number.number)["voice_url"] = theirs
        at = self.account_addresses(customer)
        before = await carrier.routing(number, at)
        assert before is not None
        assert before["voice_url"] == theirs

    def points_to_us(self, lab: Lab, number: str, ready: Credentials) -> bool:
        return "/carriers/" in owned(lab.box, "twilio", ready.account_id, number).get("voice_url", "")


class TestPlivo(CarrierPromise):
    provider = "plivo"
    credentials = Credentials(stock.PLIVO_ID, stock.PLIVO_TOKEN)
    own_numbers = stock.NUMBERS["plivo"]

    def elsewhere(self, lab: Lab) -> dict[str, str]:
        return {"app_id": "12345"}

    def points_to_us(self, lab: Lab, number: str, ready: Credentials) -> bool:
        return owned(lab.box, "plivo", ready.account_id, number).get("app_id") == ready.application_id

    async def test_says_that_it_does_not_know_where_more_calls_run_than_may_be_asked_about(
        self, http: aiohttp.ClientSession, client: httpx.AsyncClient, customer: Customer
    ) -> None:
        """Each has to be asked for by itself. Taking the one sought for one that never rang would be worse."""
        async with serving(replace(FAST, max_calls=300), SteadyClock()) as (box, address):
            lab, since = Lab(http, box, address), now()
            ready = await self.open(lab, client).provision(self.account_addresses(customer))
            carrier = self.open(lab, client, ready)
            await lab.script(NOBODY, pickup="no_answer", ring_ms=120_000)
            others = [await carrier.place_call(self.dial(customer, NOBODY)) for _ in range(201)]
            search = Search(self.own_numbers[0], SILENT, since)

            async def refused() -> bool:
                try:
                    await carrier.find_calls(search)
                except OutcomeUnknown:
                    return True
                return False

            await until("too many calls to ring", refused)
            # Whoever belongs to a leg that is known need not be asked about.
            assert await carrier.find_calls(replace(search, others=frozenset(others[:1]))) == []


class TestVonage(CarrierPromise):
    provider = "vonage"
    credentials = Credentials(stock.VONAGE_KEY, stock.VONAGE_SECRET, stock.VONAGE_SIGNATURE_SECRET)
    own_numbers = stock.NUMBERS["vonage"]

    def elsewhere(self, lab: Lab) -> dict[str, str]:
        return {"app_id": "somebody-elses"}

    def points_to_us(self, lab: Lab, number: str, ready: Credentials) -> bool:
        return owned(lab.box, "vonage", ready.account_id, number).get("app_id") == ready.application_id

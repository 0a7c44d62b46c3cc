"""The three carriers keep what `carrier_promise` asks of them."""

from tests.carrierbox.customer import Customer
from tests.carrierbox.lab import Lab
from tests.carriers.carrier_promise import CarrierPromise, owned

from carrierbox import stock
from rymi_server.telephony.carriers.carrier import Carrier, Credentials


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
        assert (await carrier.attach(number, at))["voice_url"] == theirs
        assert await carrier.attach(number, at) == {}

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


class TestVonage(CarrierPromise):
    provider = "vonage"
    credentials = Credentials(stock.VONAGE_KEY, stock.VONAGE_SECRET, stock.VONAGE_SIGNATURE_SECRET)
    own_numbers = stock.NUMBERS["vonage"]

    def elsewhere(self, lab: Lab) -> dict[str, str]:
        return {"app_id": "somebody-elses"}

    def points_to_us(self, lab: Lab, number: str, ready: Credentials) -> bool:
        return owned(lab.box, "vonage", ready.account_id, number).get("app_id") == ready.application_id

"""The accounts and numbers that every fresh box has, so that a client needs no set-up call. They open nothing else."""

from typing import Final

from carrierbox.accounts import Account, Accounts
from carrierbox.clock import Clock
from carrierbox.numbers import Numbers, OwnedNumber
from carrierbox.settings import Settings

TWILIO_SID: Final = "ACb0000000000000000000000000000001"
TWILIO_TOKEN: Final = "carrierbox-twilio-token"
PLIVO_ID: Final = "MACARRIERBOX00000001"
PLIVO_TOKEN: Final = "carrierbox-plivo-token"
VONAGE_KEY: Final = "cb000001"
VONAGE_SECRET: Final = "carrierboxSecret1"
VONAGE_SIGNATURE_SECRET: Final = "carrierbox-signature-secret-000000000001"

NUMBERS: Final = {
    "twilio": ("+12025550151", "+12025550152"),
    "plivo": ("+12025550161", "+12025550162"),
    "vonage": ("+12025550171", "+12025550172"),
}


def stock(accounts: Accounts, numbers: Numbers, settings: Settings, clock: Clock) -> None:
    """Put the box's own accounts and numbers where they belong, as they were on the first day."""
    accounts.clear()
    numbers.clear()
    accounts.add(Account("twilio", TWILIO_SID, TWILIO_TOKEN, "carrierbox Twilio", settings.twilio_calls_per_second))
    accounts.add(Account("plivo", PLIVO_ID, PLIVO_TOKEN, "carrierbox Plivo", settings.plivo_calls_per_second))
    accounts.add(
        Account(
            "vonage",
            VONAGE_KEY,
            VONAGE_SECRET,
            VONAGE_KEY,
            settings.vonage_calls_per_second,
            signature_secret=VONAGE_SIGNATURE_SECRET,
        )
    )
    for account in accounts.all():
        for e164 in NUMBERS[account.carrier]:
            numbers.add(OwnedNumber(account.carrier, account.id, e164, number_sid(e164), clock.now()))


def number_sid(e164: str) -> str:
    return f"PN{e164.removeprefix('+'):0>32}"

"""Twilio's REST API, version 2010-04-01: forms in, JSON out."""

from collections.abc import Sequence
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from rymi_server.telephony.carriers.asking import Reply, ask, part
from rymi_server.telephony.carriers.carrier import (
    CarrierAccount,
    CarrierNumber,
    CarrierRefused,
    Credentials,
    CredentialsRefused,
    Dial,
    LegReport,
    OutcomeUnknown,
    PlacedCall,
    Routing,
    Search,
)
from rymi_server.telephony.carriers.forms import id_of, number_of
from rymi_server.telephony.carriers.hooks import AccountAddresses
from rymi_server.telephony.carriers.twilio.callbacks import read_call
from rymi_server.telephony.models import LegReason

_LARGEST_PAGE = 1000
_MOST_PAGES = 100
_ALREADY_OVER = {20404, 21220}
_REASONS = {
    21211: LegReason.INVALID_NUMBER,
    21215: LegReason.CARRIER_REFUSED,
    21219: LegReason.CARRIER_REFUSED,
}
# What a number says of where its calls go, and the field that changes it.
_ROUTING = {
    "voice_url": "VoiceUrl",
    "voice_method": "VoiceMethod",
    "voice_fallback_url": "VoiceFallbackUrl",
    "voice_fallback_method": "VoiceFallbackMethod",
    "status_callback": "StatusCallback",
    "status_callback_method": "StatusCallbackMethod",
    "voice_application_sid": "VoiceApplicationSid",
    "trunk_sid": "TrunkSid",
}
_OURS = "/carriers/twilio/"
# Clocks differ; a call that was asked for then may be stamped a little earlier.
_SKEW = timedelta(seconds=30)


class TwilioAccount:
    """Keeps the promise `Carrier`."""

    name = "twilio"

    def __init__(self, http: httpx.AsyncClient, base: str, credentials: Credentials) -> None:
        self._http = http
        self._host = base.rstrip("/")
        self._credentials = credentials
        self._root = f"/2010-04-01/Accounts/{part(credentials.account_id)}"

    async def account(self) -> CarrierAccount:
        reply = await self._ask("GET", f"{self._root}.json")
        if not reply.is_good:
            raise CredentialsRefused(f"Twilio does not know this account. {reply.text('message')}".strip())
        status = reply.text("status")
        if status in ("suspended", "closed"):
            raise CredentialsRefused(f"Twilio says that this account is {status}.")
        # The rest of the body holds the token itself and goes no further.
        name = reply.text("friendly_name") or self._credentials.account_id
        return CarrierAccount(name, is_trial=reply.text("type") == "Trial")

    async def numbers(self) -> Sequence[CarrierNumber]:
        found: list[CarrierNumber] = []
        path: str | None = f"{self._root}/IncomingPhoneNumbers.json?PageSize={_LARGEST_PAGE}"
        for _ in range(_MOST_PAGES):
            if path is None:
                break
            reply = _good(await self._ask("GET", path))
            found += [number for row in reply.rows("incoming_phone_numbers") if (number := _number(row))]
            path = _next_path(reply)
        return found

    async def provision(self, at: AccountAddresses) -> Credentials:  # noqa: ARG002 - Numbers carry their own addresses.
        return self._credentials

    async def unprovision(self) -> None:
        """Nothing was made."""

    async def routing(self, number: CarrierNumber, at: AccountAddresses) -> Routing | None:
        now = _routing_of(_good(await self._ask("GET", self._number_path(number))))
        return None if _is_ours(now, at) else now

    async def attach(self, number: CarrierNumber, at: AccountAddresses) -> None:
        # An application or a trunk would come before the number's own address, so both are taken off.
        form = {
            "VoiceUrl": at.answer,
            "VoiceMethod": "POST",
            "VoiceFallbackUrl": "",
            "StatusCallback": at.status,
            "StatusCallbackMethod": "POST",
            "VoiceApplicationSid": "",
            "TrunkSid": "",
        }
        _good(await self._ask("POST", self._number_path(number), data=form))

    async def restore(self, number: CarrierNumber, before: Routing, ours: str) -> None:
        reply = await self._ask("GET", self._number_path(number))
        if reply.is_missing or _routing_of(_good(reply))["voice_url"] != ours:
            return
        form = {field: str(before.get(name) or "") for name, field in _ROUTING.items()}
        methods = {name: form[name] or "POST" for name in form if name.endswith("Method")}
        _good(await self._ask("POST", self._number_path(number), data=form | methods))

    async def place_call(self, dial: Dial) -> str:
        form: dict[str, Any] = {
            "To": dial.to_number,
            "From": dial.from_number or "",
            "Url": dial.addresses.answer,
            "Method": "POST",
            "StatusCallback": dial.addresses.status,
            "StatusCallbackMethod": "POST",
            # That it has begun to dial says nothing that its answer here and the others do not.
            "StatusCallbackEvent": ["ringing", "answered", "completed"],
            "Timeout": str(dial.ring_seconds),
            "TimeLimit": str(dial.limit_seconds),
        }
        if dial.detect_machine:
            form |= {
                "MachineDetection": "Enable",
                "AsyncAmd": "true",
                "AsyncAmdStatusCallback": dial.addresses.machine,
                "AsyncAmdStatusCallbackMethod": "POST",
            }
        reply = _good(await self._ask("POST", f"{self._root}/Calls.json", data=form))
        sid = id_of(reply.text("sid"))
        if sid is None:
            raise OutcomeUnknown("Twilio took the call and did not say under which id.")
        return sid

    async def find_calls(self, search: Search) -> Sequence[str]:
        query = {"To": search.to_number, "PageSize": "50"}
        if search.from_number:
            query["From"] = search.from_number
        reply = _good(await self._ask("GET", f"{self._root}/Calls.json", params=query))
        young = [row for row in reply.rows("calls") if _is_young(row, search)]
        return [sid for row in young if (sid := id_of(row.get("sid")))]

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        reply = await self._ask("GET", self._call_path(call))
        return None if reply.is_missing else read_call(_good(reply).body or {})

    async def hang_up(self, call: PlacedCall) -> None:
        reply = await self._ask("POST", self._call_path(call), data={"Status": "completed"})
        if not reply.is_good and _code(reply) not in _ALREADY_OVER and not reply.is_missing:
            _good(reply)

    async def transfer(self, call: PlacedCall, document_url: str) -> None:
        _good(await self._ask("POST", self._call_path(call), data={"Url": document_url, "Method": "POST"}))

    async def press(self, call: PlacedCall, digits: str) -> bool:  # noqa: ARG002 - Twilio has no way to be asked.
        return False

    async def _ask(self, method: str, path: str, **more: Any) -> Reply:
        auth = (self._credentials.account_id, self._credentials.secret)
        return await ask(self._http, method, f"{self._host}{path}", auth=auth, **more)

    def _number_path(self, number: CarrierNumber) -> str:
        return f"{self._root}/IncomingPhoneNumbers/{part(number.reference)}.json"

    def _call_path(self, call: PlacedCall) -> str:
        return f"{self._root}/Calls/{part(call.id)}.json"


def _good(reply: Reply) -> Reply:
    if reply.is_good:
        return reply
    reason = _REASONS.get(_code(reply), LegReason.CARRIER_REFUSED)
    raise CarrierRefused(f"Twilio refuses ({_code(reply) or reply.status}): {reply.text('message')}", reason=reason)


def _code(reply: Reply) -> int:
    code = reply.text("code")
    return int(code) if code.isdigit() else 0


def _number(row: dict[str, Any]) -> CarrierNumber | None:
    capabilities = row.get("capabilities")
    takes_calls = isinstance(capabilities, dict) and bool(capabilities.get("voice"))
    number, sid = number_of(row.get("phone_number")), id_of(row.get("sid"))
    return CarrierNumber(number, sid) if takes_calls and number and sid else None


def _next_path(reply: Reply) -> str | None:
    """Only the path is taken: no answer may send our credentials to another host."""
    at = urlsplit(reply.text("next_page_uri"))
    return f"{at.path}?{at.query}" if at.path.startswith("/2010-04-01/") else None


def _routing_of(reply: Reply) -> dict[str, str]:
    return {name: reply.text(name) for name in _ROUTING}


def _is_ours(routing: Routing, at: AccountAddresses) -> bool:
    """Whether it points to this installation already. Another one's address is given back like anybody's."""
    ours, path, _ = at.answer.partition(_OURS)
    return bool(path) and str(routing.get("voice_url", "")).startswith(ours + path)


def _is_young(row: dict[str, Any], search: Search) -> bool:
    try:
        created = parsedate_to_datetime(str(row.get("date_created")))
    except ValueError:
        return True
    return created >= search.since - _SKEW

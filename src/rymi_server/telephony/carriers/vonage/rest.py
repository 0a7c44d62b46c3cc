"""Vonage's APIs: calls with our application's token, everything else with key and secret."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
from rymi_server.telephony.carriers.vonage.callbacks import read_call
from rymi_server.telephony.carriers.vonage.tokens import application_token, new_key_pair

_LARGEST_PAGE = 100
_MOST_PAGES = 100
_ROUTING = ("app_id", "voiceCallbackType", "voiceCallbackValue")
_THEIR_DOMAINS = (".nexmo.com", ".vonage.com")
_LONGEST_RING = 120
_SKEW = timedelta(seconds=30)
# A call that was asked for then is there by then, if ever.
_PLACED_WITHIN = timedelta(minutes=5)
_TIME = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class VonageHosts:
    """`api` has calls and applications, `rest` the account and its numbers."""

    api: str
    rest: str


class VonageAccount:
    """Keeps the promise `Carrier`."""

    name = "vonage"

    def __init__(
        self, http: httpx.AsyncClient, hosts: VonageHosts, credentials: Credentials, now: Callable[[], datetime]
    ) -> None:
        self._http = http
        self._hosts = VonageHosts(hosts.api.rstrip("/"), hosts.rest.rstrip("/"))
        self._credentials = credentials
        self._now = now

    async def account(self) -> CarrierAccount:
        """Vonage tells neither a name nor a country. Applications are asked for, because one has to be made."""
        reply = await self._ask_rest("GET", "/account/get-balance")
        if not reply.is_good:
            raise CredentialsRefused(f"Vonage does not know this account. {reply.text('error-code-label')}".strip())
        _good(await self._ask_account("GET", "/v2/applications", params={"page_size": "1"}))
        return CarrierAccount(self._credentials.account_id)

    async def numbers(self) -> Sequence[CarrierNumber]:
        found: list[CarrierNumber] = []
        for index in range(1, _MOST_PAGES + 1):
            rows = await self._number_rows({"size": str(_LARGEST_PAGE), "index": str(index)})
            found += [number for row in rows if (number := _number(row))]
            if len(rows) < _LARGEST_PAGE:
                break
        return found

    async def provision(self, at: AccountAddresses) -> Credentials:
        """The application whose key signs for our calls. Its public key is ours, so no answer ever holds a secret."""
        known = self._credentials
        if known.application_id and known.private_key:
            path = f"/v2/applications/{part(known.application_id)}"
            reply = await self._ask_account("GET", path)
            if not reply.is_missing:
                public = _good(reply).body.get("keys", {}).get("public_key", "")
                _good(await self._ask_account("PUT", path, json=_application(at, public)))
                return known
        private, public = new_key_pair()
        reply = _good(await self._ask_account("POST", "/v2/applications", json=_application(at, public)))
        application_id = id_of(reply.text("id"))
        if application_id is None:
            raise CarrierRefused("Vonage made an application and did not say under which id.")
        return replace(known, application_id=application_id, private_key=private)

    async def unprovision(self) -> None:
        if known := self._credentials.application_id:
            reply = await self._ask_account("DELETE", f"/v2/applications/{part(known)}")
            if not reply.is_missing:
                _good(reply)

    async def routing(self, number: CarrierNumber, at: AccountAddresses) -> Routing | None:  # noqa: ARG002 - As the next.
        now = await self._row_of(number)
        is_ours = now.get("app_id") == self._credentials.application_id
        return None if is_ours else {name: now.get(name, "") for name in _ROUTING}

    async def attach(self, number: CarrierNumber, at: AccountAddresses) -> None:  # noqa: ARG002 - The application has it.
        now = await self._row_of(number)
        await self._point(number, {"app_id": self._credentials.application_id or ""}, now)

    async def restore(self, number: CarrierNumber, before: Routing, ours: str) -> None:  # noqa: ARG002 - The application is.
        now = await self._row_of(number)
        if now.get("app_id") == self._credentials.application_id:
            await self._point(number, {name: str(before.get(name) or "") for name in _ROUTING}, now)

    async def place_call(self, dial: Dial) -> str:
        body: dict[str, Any] = {
            "to": [{"type": "phone", "number": dial.to_number.removeprefix("+")}],
            "from": {"type": "phone", "number": (dial.from_number or "").removeprefix("+")},
            "answer_url": [dial.addresses.answer],
            "answer_method": "POST",
            "event_url": [dial.addresses.status],
            "event_method": "POST",
            "ringing_timer": min(dial.ring_seconds, _LONGEST_RING),
            "length_timer": dial.limit_seconds,
        }
        if dial.detect_machine:
            body["machine_detection"] = "continue"
        reply = _good(await self._ask_calls("POST", "", json=body))
        uuid = id_of(reply.text("uuid"))
        if uuid is None:
            raise OutcomeUnknown("Vonage took the call and did not say under which id.")
        return uuid

    async def find_calls(self, search: Search) -> Sequence[str]:
        """Vonage searches by time only."""
        query = {
            "date_start": (search.since - _SKEW).strftime(_TIME),
            "date_end": (search.since + _PLACED_WITHIN).strftime(_TIME),
            "page_size": str(_LARGEST_PAGE),
            "order": "asc",
        }
        found: list[str] = []
        for page in range(_MOST_PAGES):
            window = {**query, "record_index": str(page * _LARGEST_PAGE)}
            rows = _good(await self._ask_calls("GET", "", params=window)).rows("_embedded", "calls")
            found += [uuid for row in rows if _is_meant(row, search) and (uuid := id_of(row.get("uuid")))]
            if len(rows) < _LARGEST_PAGE:
                break
        return found

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        reply = await self._ask_calls("GET", f"/{part(call.id)}", call)
        return None if reply.is_missing else read_call(_good(reply).body or {})

    async def hang_up(self, call: PlacedCall) -> None:
        reply = await self._ask_calls("PUT", f"/{part(call.id)}", call, json={"action": "hangup"})
        if not reply.is_missing:
            _good(reply)

    async def transfer(self, call: PlacedCall, document_url: str) -> None:
        body = {"action": "transfer", "destination": {"type": "ncco", "url": [document_url]}}
        _good(await self._ask_calls("PUT", f"/{part(call.id)}", call, json=body))

    async def press(self, call: PlacedCall, digits: str) -> bool:
        _good(await self._ask_calls("PUT", f"/{part(call.id)}/dtmf", call, json={"digits": digits}))
        return True

    async def _row_of(self, number: CarrierNumber) -> dict[str, Any]:
        rows = await self._number_rows({"pattern": number.reference, "search_pattern": "0", "size": "100"})
        return next((row for row in rows if str(row.get("msisdn")) == number.reference), {})

    async def _number_rows(self, query: dict[str, str]) -> list[dict[str, Any]]:
        return _good(await self._ask_rest("GET", "/account/numbers", params=query)).rows("numbers")

    async def _point(self, number: CarrierNumber, wanted: dict[str, str], now: dict[str, Any]) -> None:
        """An update says everything: what it does not name is taken away, so messages keep their address."""
        form = {"country": number.country or "", "msisdn": number.reference, **wanted}
        if kept := now.get("moHttpUrl"):
            form["moHttpUrl"] = str(kept)
        _good(await self._ask_rest("POST", "/number/update", data={k: v for k, v in form.items() if v}))

    async def _ask_rest(self, method: str, path: str, **more: Any) -> Reply:
        return await ask(self._http, method, f"{self._hosts.rest}{path}", auth=self._key, **more)

    async def _ask_account(self, method: str, path: str, **more: Any) -> Reply:
        return await ask(self._http, method, f"{self._hosts.api}{path}", auth=self._key, **more)

    async def _ask_calls(self, method: str, path: str, call: PlacedCall | None = None, **more: Any) -> Reply:
        headers = {"Authorization": f"Bearer {application_token(self._credentials, self._now())}"}
        host = self._host_of(call.region_url if call else None)
        return await ask(self._http, method, f"{host}/v1/calls{path}", headers=headers, **more)

    def _host_of(self, region_url: str | None) -> str:
        """A call lives in one region. Only a host of Vonage's is believed to be one."""
        at = urlsplit(region_url or "")
        is_theirs = at.scheme == "https" and (at.hostname or "").endswith(_THEIR_DOMAINS)
        return f"https://{at.hostname}" if is_theirs else self._hosts.api

    @property
    def _key(self) -> tuple[str, str]:
        return self._credentials.account_id, self._credentials.secret


def _good(reply: Reply) -> Reply:
    if reply.is_good and isinstance(reply.body, dict | list | None):
        return reply
    raise CarrierRefused(f"Vonage refuses ({reply.status}): {reply.text('detail', 'title', 'error-code-label')}")


def _application(at: AccountAddresses, public_key: str) -> dict[str, Any]:
    webhooks = {
        "answer_url": {
            "address": at.answer,
            "http_method": "POST",
            "connect_timeout": 1000,
            "socket_timeout": 5000,
        },
        "event_url": {"address": at.status, "http_method": "POST", "connect_timeout": 1000, "socket_timeout": 10_000},
    }
    return {
        "name": at.name,
        "keys": {"public_key": public_key},
        # Without this Vonage would train on the calls.
        "privacy": {"improve_ai": False},
        "capabilities": {"voice": {"webhooks": webhooks, "signed_callbacks": True}},
    }


def _number(row: dict[str, Any]) -> CarrierNumber | None:
    number, features = number_of(str(row.get("msisdn") or "")), row.get("features")
    takes_calls = isinstance(features, list) and "VOICE" in features
    country = str(row.get("country") or "") or None
    return CarrierNumber(number, number.removeprefix("+"), country) if number and takes_calls else None


def _is_meant(row: dict[str, Any], search: Search) -> bool:
    same_caller = search.from_number in (None, _end(row.get("from")))
    return same_caller and _end(row.get("to")) == search.to_number


def _end(end: Any) -> str | None:
    """The number at one end of a call, which is an object in some answers and text in others."""
    return number_of(str((end.get("number") if isinstance(end, dict) else end) or ""))

"""Plivo's REST API: JSON in and out, and every path ends in a slash."""

from collections.abc import Sequence
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
from rymi_server.telephony.carriers.plivo.callbacks import read_live, read_record

_LARGEST_PAGE = 20
_MOST_PAGES = 500
# Searching asks for each running call by itself, of which Plivo allows some sixty in a second.
_MOST_LOOKED_AT = 200


class PlivoAccount:
    """Keeps the promise `Carrier`."""

    name = "plivo"

    def __init__(self, http: httpx.AsyncClient, base: str, credentials: Credentials) -> None:
        self._http = http
        self._credentials = credentials
        self._root = f"{base.rstrip('/')}/v1/Account/{part(credentials.account_id)}/"

    async def account(self) -> CarrierAccount:
        reply = await self._ask("GET", "")
        if not reply.is_good:
            raise CredentialsRefused("Plivo does not know this account.")
        return CarrierAccount(
            reply.text("name") or self._credentials.account_id, is_trial=reply.text("account_type") == "developer"
        )

    async def numbers(self) -> Sequence[CarrierNumber]:
        rows = await self._all("Number/", {"services": "voice"})
        return [number for row in rows if (number := _number(row))]

    async def provision(self, at: AccountAddresses) -> Credentials:
        """One application serves all numbers: it is the number dialed that decides."""
        wanted = {
            "answer_url": at.answer,
            "answer_method": "POST",
            "hangup_url": at.status,
            "hangup_method": "POST",
        }
        known = self._credentials.application_id
        if known and (await self._ask("POST", f"Application/{part(known)}/", json=wanted)).is_good:
            return self._credentials
        reply = await self._ask("POST", "Application/", json={"app_name": at.name, **wanted})
        app_id = id_of(reply.text("app_id")) if reply.is_good else await self._application_named(at.name)
        if app_id is None:
            raise CarrierRefused(f"Plivo made no application: {reply.text('error') or reply.status}")
        if not reply.is_good:
            _good(await self._ask("POST", f"Application/{part(app_id)}/", json=wanted))
        return _with_application(self._credentials, app_id)

    async def unprovision(self) -> None:
        if known := self._credentials.application_id:
            reply = await self._ask("DELETE", f"Application/{part(known)}/")
            if not reply.is_missing:
                _good(reply)

    async def routing(self, number: CarrierNumber, at: AccountAddresses) -> Routing | None:  # noqa: ARG002 - As the next.
        now = await self._application_of(number)
        return None if now == self._credentials.application_id else {"app_id": now}

    async def attach(self, number: CarrierNumber, at: AccountAddresses) -> None:  # noqa: ARG002 - The application has it.
        ours = self._credentials.application_id
        _good(await self._ask("POST", f"Number/{part(number.reference)}/", json={"app_id": ours}))

    async def restore(self, number: CarrierNumber, before: Routing, ours: str) -> None:  # noqa: ARG002 - The application is.
        if await self._application_of(number) == self._credentials.application_id:
            wanted = {"app_id": before.get("app_id") or ""}
            _good(await self._ask("POST", f"Number/{part(number.reference)}/", json=wanted))

    async def place_call(self, dial: Dial) -> str:
        body: dict[str, Any] = {
            "from": (dial.from_number or "").removeprefix("+"),
            "to": dial.to_number.removeprefix("+"),
            "answer_url": dial.addresses.answer,
            "answer_method": "POST",
            "ring_url": dial.addresses.status,
            "ring_method": "POST",
            "hangup_url": dial.addresses.status,
            "hangup_method": "POST",
            "ring_timeout": dial.ring_seconds,
            "time_limit": dial.limit_seconds,
        }
        if dial.detect_machine:
            body |= {
                "machine_detection": "true",
                "machine_detection_time": 5000,
                "machine_detection_url": dial.addresses.machine,
                "machine_detection_method": "POST",
            }
        reply = _good(await self._ask("POST", "Call/", json=body))
        uuid = id_of(reply.text("request_uuid"))
        if uuid is None:
            raise OutcomeUnknown("Plivo took the call and did not say under which id.")
        return uuid

    async def find_calls(self, search: Search) -> Sequence[str]:
        """Running and waiting calls are listed by id only; of those that are over the record is searched.

        Where there are too many to look at, nothing is said: that it was not seen does not mean that it is not there.
        """
        found = []
        for status in ("live", "queued"):
            reply = _good(await self._ask("GET", "Call/", params={"status": status}))
            uuids = reply.body.get("calls", []) if isinstance(reply.body, dict) else []
            strangers = [str(uuid) for uuid in uuids if str(uuid) not in search.others]
            if len(strangers) > _MOST_LOOKED_AT:
                raise OutcomeUnknown("Plivo has more running calls than can be looked at.")
            for uuid in strangers:
                shown = await self._ask("GET", f"Call/{part(uuid)}/", params={"status": status})
                if shown.is_good and _is_meant(shown.text("from"), shown.text("to"), search):
                    found.append(uuid)
        query = {"to_number": search.to_number.removeprefix("+"), "limit": str(_LARGEST_PAGE)}
        query["initiation_time__gte"] = search.since.strftime("%Y-%m-%d %H:%M:%S")
        if search.from_number:
            query["from_number"] = search.from_number.removeprefix("+")
        records = _good(await self._ask("GET", "Call/", params=query)).rows("objects")
        young = [row for row in records if str(row.get("initiation_time", "~"))[:19] >= query["initiation_time__gte"]]
        return found + [str(row["call_uuid"]) for row in young if id_of(row.get("call_uuid"))]

    async def look_up(self, call: PlacedCall) -> LegReport | None:
        for status in ("live", "queued"):
            reply = await self._ask("GET", f"Call/{part(call.id)}/", params={"status": status})
            if reply.is_good:
                return read_live(reply.body or {})
        reply = await self._ask("GET", f"Call/{part(call.id)}/")
        return None if reply.is_missing else read_record(_good(reply).body or {})

    async def hang_up(self, call: PlacedCall) -> None:
        """A call that has not left Plivo's own queue is a request still, and known by that name only."""
        reply = await self._ask("DELETE", f"Call/{part(call.id)}/")
        if reply.is_missing:
            reply = await self._ask("DELETE", f"Request/{part(call.id)}/")
        if not reply.is_missing:
            _good(reply)

    async def transfer(self, call: PlacedCall, document_url: str) -> None:
        body = {"legs": "aleg", "aleg_url": document_url, "aleg_method": "POST"}
        _good(await self._ask("POST", f"Call/{part(call.id)}/", json=body))

    async def press(self, call: PlacedCall, digits: str) -> bool:
        _good(await self._ask("POST", f"Call/{part(call.id)}/DTMF/", json={"digits": digits}))
        return True

    async def _application_of(self, number: CarrierNumber) -> str | None:
        reply = _good(await self._ask("GET", f"Number/{part(number.reference)}/"))
        return _last_part(reply.text("application"))

    async def _application_named(self, name: str) -> str | None:
        rows = await self._all("Application/", {"app_name": name})
        return next((id_of(row.get("app_id")) for row in rows if row.get("app_name") == name), None)

    async def _all(self, path: str, query: dict[str, str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in range(_MOST_PAGES):
            window = {"limit": str(_LARGEST_PAGE), "offset": str(page * _LARGEST_PAGE)}
            rows = _good(await self._ask("GET", path, params=query | window)).rows("objects")
            found += rows
            if len(rows) < _LARGEST_PAGE:
                break
        return found

    async def _ask(self, method: str, path: str, **more: Any) -> Reply:
        auth = (self._credentials.account_id, self._credentials.secret)
        return await ask(self._http, method, f"{self._root}{path}", auth=auth, **more)


def _good(reply: Reply) -> Reply:
    if reply.is_good:
        return reply
    raise CarrierRefused(f"Plivo refuses ({reply.status}): {reply.text('error', 'message')}")


def _with_application(credentials: Credentials, app_id: str) -> Credentials:
    return Credentials(credentials.account_id, credentials.secret, application_id=app_id)


def _number(row: dict[str, Any]) -> CarrierNumber | None:
    number = number_of(str(row.get("number") or ""))
    return CarrierNumber(number, number.removeprefix("+")) if number and row.get("voice_enabled", True) else None


def _is_meant(from_number: str, to_number: str, search: Search) -> bool:
    same_caller = search.from_number in (None, number_of(from_number))
    return same_caller and number_of(to_number) == search.to_number


def _last_part(resource: str) -> str | None:
    """`/v1/Account/…/Application/123/` is application 123."""
    return id_of(urlsplit(resource).path.rstrip("/").rpartition("/")[2])

"""What calls happen in, as a tester sets it: who answers at a number, what breaks, which accounts and numbers exist."""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from carrierbox.accounts import Accounts
from carrierbox.callees.magic import magic_numbers
from carrierbox.callees.party import rehearse
from carrierbox.callees.script import read_script
from carrierbox.calls.carrier import Carrier
from carrierbox.calls.exchange import Exchange
from carrierbox.control.requests import BadRequest, read_json, read_number
from carrierbox.control.views import account_view, fault_view, number_view
from carrierbox.numbers import Numbers, OwnedNumber
from carrierbox.stock import number_sid

MOST_SCRIPTS = 1000


class Surroundings:
    """The routes for everything but the calls themselves."""

    def __init__(
        self, exchange: Exchange, carriers: Mapping[str, Carrier], accounts: Accounts, numbers: Numbers
    ) -> None:
        self._exchange = exchange
        self._carriers = carriers
        self._accounts = accounts
        self.numbers = numbers

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/scripts", self.list_scripts),
            web.put("/scripts/{number}", self.set_script),
            web.delete("/scripts/{number}", self.remove_script),
            web.get("/faults", self.list_faults),
            web.post("/faults", self.set_fault),
            web.delete("/faults", self.clear_faults),
            web.delete("/faults/{id}", self.remove_fault),
            web.get("/accounts", self.list_accounts),
            web.post("/accounts", self.add_account),
            web.get("/numbers", self.list_numbers),
            web.post("/numbers", self.add_number),
        ]

    async def list_scripts(self, _request: web.Request) -> web.Response:
        own = {number: script.name for number, script in self._exchange.scripts.items()}
        return web.json_response({"numbers": magic_numbers() | own})

    async def set_script(self, request: web.Request) -> web.Response:
        """From now on this is who answers at that number."""
        number = read_number(request.match_info["number"], "number")
        if len(self._exchange.scripts) >= MOST_SCRIPTS:
            raise BadRequest(f"At most {MOST_SCRIPTS} numbers can have scripts; remove some first.")
        body = await read_json(request)
        script = read_script(body)
        # Spoken once now: a voice that does not exist is the tester's to hear of, not the call's.
        await rehearse(script.moves, self._exchange.tools.voices)
        self._exchange.scripts[number] = script
        return web.Response(status=204)

    async def remove_script(self, request: web.Request) -> web.Response:
        self._exchange.scripts.pop(read_number(request.match_info["number"], "number"), None)
        return web.Response(status=204)

    async def list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": [fault_view(fault) for fault in self._exchange.tools.faults.all()]})

    async def set_fault(self, request: web.Request) -> web.Response:
        return web.json_response(fault_view(self._exchange.tools.faults.set(await read_json(request))), status=201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._exchange.tools.faults.clear()
        return web.Response(status=204)

    async def remove_fault(self, request: web.Request) -> web.Response:
        return web.Response(status=204 if self._exchange.tools.faults.remove(request.match_info["id"]) else 404)

    async def list_accounts(self, _request: web.Request) -> web.Response:
        """With their secrets: they open nothing but this box."""
        return web.json_response({"accounts": [account_view(account) for account in self._accounts.all()]})

    async def add_account(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        carrier, account_id, secret = (str(body.get(name, "")) for name in ("carrier", "id", "secret"))
        if carrier not in self._carriers or not account_id or not secret:
            raise BadRequest(f"An account needs a carrier ({', '.join(self._carriers)}), an id and a secret.")
        own = next(account for account in self._accounts.all() if account.carrier == carrier)
        account = replace(
            own,
            id=account_id,
            secret=secret,
            name=str(body.get("name", account_id)),
            calls_per_second=_rate(body.get("calls_per_second", own.calls_per_second)),
            signature_secret=str(body.get("signature_secret", "")),
            status=str(body.get("status", "active")),
            trial=body.get("trial") is True,
        )
        return web.json_response(account_view(self._accounts.add(account)), status=201)

    async def list_numbers(self, _request: web.Request) -> web.Response:
        return web.json_response({"numbers": [number_view(number) for number in self.numbers.all()]})

    async def add_number(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        account = self._accounts.find(str(body.get("carrier")), str(body.get("account_id")))
        if account is None:
            raise BadRequest("carrier and account_id must name an account of this box.")
        number = read_number(body.get("number"), "number")
        voice = body.get("voice", True) is True
        bought_at = self._exchange.tools.clock.now()
        owned = OwnedNumber(account.carrier, account.id, number, number_sid(number), bought_at, voice=voice)
        return web.json_response(number_view(self.numbers.add(owned)), status=201)


def _rate(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw <= 1000:
        raise BadRequest("calls_per_second must be above 0 and at most 1000.")
    return float(raw)

"""The control API: lists and inspects calls, lets simulated people call, speak, press and hang up, and sets faults."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from importlib import resources

from aiohttp import web
from aiohttp.typedefs import Handler

from carrierbox.accounts import Account, Accounts
from carrierbox.callees.magic import CALLER, magic_numbers
from carrierbox.callees.script import BadScript, Play, Press, Say, read_digits, read_script
from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Carrier
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import BoxIsFull, NoSuchCall
from carrierbox.calls.lifecycle import Direction, EndedBy, State, WrongState
from carrierbox.control.views import detail, fault_view, summary
from carrierbox.delivery.faults import BadFault, FaultBook
from carrierbox.line.recording import BadWav, read_wav, write_wav
from carrierbox.numbers import Numbers, OwnedNumber, to_e164
from carrierbox.rest.credentials import bearer
from carrierbox.speech.espeak import DEFAULT_VOICE, SpeechFailed
from carrierbox.stock import number_sid

LARGEST_BODY = 12 * 1024 * 1024
LONGEST_WAIT_S = 120.0
DEFAULT_CALLER = "+12025550199"


class BadRequest(Exception):
    """The tester asked for what cannot be; the message says what."""


class Control:
    """The routes. A token is asked for only if the box was given one."""

    def __init__(
        self,
        exchange: Exchange,
        carriers: Mapping[str, Carrier],
        accounts: Accounts,
        numbers: Numbers,
        reset: Callable[[], Awaitable[None]],
        token: str,
    ) -> None:
        self._exchange = exchange
        self._carriers = carriers
        self._accounts = accounts
        self._numbers = numbers
        self._reset = reset
        self._token = token

    @property
    def _faults(self) -> FaultBook:
        return self._exchange.tools.faults

    def app(self) -> web.Application:
        app = web.Application(middlewares=[_render, self._guard], client_max_size=LARGEST_BODY)
        app.add_routes(
            [
                web.get("/calls", self.list_calls),
                web.post("/calls", self.start_inbound),
                web.get("/calls/{id}", self.inspect),
                web.post("/calls/{id}/say", self.say),
                web.post("/calls/{id}/press", self.press),
                web.post("/calls/{id}/play", self.play),
                web.post("/calls/{id}/hang-up", self.hang_up),
                web.get("/calls/{id}/{side:heard|spoken|both}.wav", self.recording),
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
                web.post("/reset", self.reset),
            ]
        )
        return app

    async def page(self, _request: web.Request) -> web.Response:
        html = resources.files("carrierbox.control").joinpath("page.html").read_text(encoding="utf-8")
        return web.Response(text=html, content_type="text/html")

    async def health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "live_calls": self._exchange.ledger.live_count()})

    async def list_calls(self, request: web.Request) -> web.Response:
        query = request.query
        found = [
            summary(call)
            for call in self._exchange.ledger.newest_first()
            if query.get("carrier", call.carrier) == call.carrier and not (query.get("live") == "1" and call.is_over)
        ]
        return web.json_response({"calls": found[: _whole(query.get("limit", "100"), "limit", 1, 1000)]})

    async def inspect(self, request: web.Request) -> web.Response:
        """With `until=<state>` or `event=<event>`, the answer waits for it, at most `timeout_s`."""
        call = self._exchange.ledger.get(request.match_info["id"])
        query = request.query
        if "until" in query or "event" in query:
            timeout = min(LONGEST_WAIT_S, float(_whole(query.get("timeout_s", "30"), "timeout_s", 0, 600)))
            if not await _came(call, query.get("until"), query.get("event"), timeout):
                return web.json_response(detail(call) | {"timed_out": True}, status=408)
        return web.json_response(detail(call))

    async def start_inbound(self, request: web.Request) -> web.Response:
        """Somebody calls one of the numbers."""
        body = await _json(request)
        carrier = self._carriers.get(str(body.get("carrier")))
        if carrier is None:
            raise BadRequest(f"carrier must be one of {', '.join(self._carriers)}.")
        called = self._numbers.find(carrier.name, _number(body.get("to"), "to"))
        if called is None:
            raise BadRequest(f"No account of {carrier.name} here owns that number.")
        script = read_script(body["script"]) if "script" in body else CALLER
        call = Call(
            id=carrier.new_call_id(),
            carrier=carrier.name,
            account_id=called.account_id,
            direction=Direction.INBOUND,
            caller=_number(body.get("from", DEFAULT_CALLER), "from"),
            callee=called.e164,
            created_at=self._exchange.tools.clock.now(),
            terms=carrier.inbound_terms(called),
        )
        self._exchange.place(carrier, call, script)
        return web.json_response(detail(call), status=201)

    async def say(self, request: web.Request) -> web.Response:
        body = await _json(request)
        text, voice = str(body.get("text", "")), str(body.get("voice", DEFAULT_VOICE))
        if not 0 < len(text) <= 2000:
            raise BadRequest("text must have 1 to 2000 characters.")
        await self._exchange.phone(request.match_info["id"]).interject(Say(text, voice))
        return web.Response(status=204)

    async def press(self, request: web.Request) -> web.Response:
        body = await _json(request)
        digits = read_digits(body.get("digits"), "digits")
        await self._exchange.phone(request.match_info["id"]).interject(Press(digits))
        return web.Response(status=204)

    async def play(self, request: web.Request) -> web.Response:
        """The body is the WAV itself."""
        await self._exchange.phone(request.match_info["id"]).interject(Play(read_wav(await request.read()), "(sound)"))
        return web.Response(status=204)

    async def hang_up(self, request: web.Request) -> web.Response:
        self._exchange.phone(request.match_info["id"]).hang_up(EndedBy.PARTY)
        return web.Response(status=204)

    async def recording(self, request: web.Request) -> web.Response:
        call = self._exchange.ledger.get(request.match_info["id"])
        sides = {
            "heard": (call.heard.samples,),
            "spoken": (call.spoken.samples,),
            "both": (call.spoken.samples, call.heard.samples),
        }[request.match_info["side"]]
        return web.Response(body=write_wav(*sides), content_type="audio/wav")

    async def list_scripts(self, _request: web.Request) -> web.Response:
        own = {number: script.name for number, script in self._exchange.scripts.items()}
        return web.json_response({"numbers": magic_numbers() | own})

    async def set_script(self, request: web.Request) -> web.Response:
        """From now on this is who answers at that number."""
        number = _number(request.match_info["number"], "number")
        if len(self._exchange.scripts) >= 1000:
            raise BadRequest("At most 1000 numbers can have scripts; remove some first.")
        body = await _json(request)
        self._exchange.scripts[number] = read_script(body)
        return web.Response(status=204)

    async def remove_script(self, request: web.Request) -> web.Response:
        self._exchange.scripts.pop(_number(request.match_info["number"], "number"), None)
        return web.Response(status=204)

    async def list_faults(self, _request: web.Request) -> web.Response:
        return web.json_response({"faults": [fault_view(fault) for fault in self._faults.all()]})

    async def set_fault(self, request: web.Request) -> web.Response:
        return web.json_response(fault_view(self._faults.set(await _json(request))), status=201)

    async def clear_faults(self, _request: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def remove_fault(self, request: web.Request) -> web.Response:
        return web.Response(status=204 if self._faults.remove(request.match_info["id"]) else 404)

    async def list_accounts(self, _request: web.Request) -> web.Response:
        """With their secrets: they open nothing but this box."""
        return web.json_response({"accounts": [_account_view(account) for account in self._accounts.all()]})

    async def add_account(self, request: web.Request) -> web.Response:
        body = await _json(request)
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
        return web.json_response(_account_view(self._accounts.add(account)), status=201)

    async def list_numbers(self, _request: web.Request) -> web.Response:
        return web.json_response({"numbers": [_number_view(number) for number in self._numbers.all()]})

    async def add_number(self, request: web.Request) -> web.Response:
        body = await _json(request)
        account = self._accounts.find(str(body.get("carrier")), str(body.get("account_id")))
        if account is None:
            raise BadRequest("carrier and account_id must name an account of this box.")
        number = _number(body.get("number"), "number")
        voice = body.get("voice", True) is True
        bought_at = self._exchange.tools.clock.now()
        owned = OwnedNumber(account.carrier, account.id, number, number_sid(number), bought_at, voice=voice)
        return web.json_response(_number_view(self._numbers.add(owned)), status=201)

    async def reset(self, _request: web.Request) -> web.Response:
        await self._reset()
        return web.Response(status=204)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._token and not hmac.compare_digest((bearer(request) or "").encode(), self._token.encode()):
            return _problem(401, "Send the control token as Authorization: Bearer.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.split("//")[-1] != request.headers.get("Host"):
            return _problem(403, "Pages of other sites may not use the control API.")
        return await handler(request)


@web.middleware
async def _render(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (BadRequest, BadScript, BadFault, BadWav, SpeechFailed) as error:
        return _problem(400, str(error))
    except NoSuchCall:
        return _problem(404, "No such call.")
    except WrongState as error:
        return _problem(409, str(error))
    except BoxIsFull as error:
        return _problem(429, str(error))
    except web.HTTPException as error:
        return _problem(error.status, error.reason)


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": message}, status=status)


async def _json(request: web.Request) -> Mapping[str, object]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise BadRequest("The body must be JSON.") from None
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object.")
    return body


async def _came(call: Call, state: str | None, event: str | None, timeout: float) -> bool:
    """Wait until the call is in that state or later, or that event is on its timeline."""
    if state is not None and state not in list(State):
        raise BadRequest(f"until must be one of {', '.join(State)}.")
    moved = asyncio.Event()

    def happened(call: Call) -> bool:
        if event is not None and not any(entry.event == event for entry in call.timeline):
            return False
        order = list(State)
        return state is None or order.index(call.state) >= order.index(State(state))

    def watch(_: Call) -> None:
        moved.set()

    call.watchers.append(watch)
    try:
        async with asyncio.timeout(timeout):
            while not happened(call):
                moved.clear()
                await moved.wait()
    except TimeoutError:
        return False
    finally:
        call.watchers.remove(watch)
    return True


def _number(raw: object, name: str) -> str:
    number = to_e164(raw) if isinstance(raw, str) else None
    if number is None:
        raise BadRequest(f"{name} must be a phone number such as +12025550100.")
    return number


def _whole(raw: str, name: str, least: int, most: int) -> int:
    if not raw.isdecimal() or not least <= int(raw) <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.")
    return int(raw)


def _rate(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw <= 1000:
        raise BadRequest("calls_per_second must be above 0 and at most 1000.")
    return float(raw)


def _account_view(account: Account) -> dict[str, object]:
    return {
        "carrier": account.carrier,
        "id": account.id,
        "secret": account.secret,
        "signature_secret": account.signature_secret,
        "name": account.name,
        "calls_per_second": account.calls_per_second,
        "status": account.status,
        "trial": account.trial,
    }


def _number_view(number: OwnedNumber) -> dict[str, object]:
    return {
        "carrier": number.carrier,
        "account_id": number.account_id,
        "number": number.e164,
        "voice": number.voice,
        "settings": number.settings,
    }

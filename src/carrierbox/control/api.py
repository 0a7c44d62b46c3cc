"""The control API: lists and inspects calls, lets simulated people call, speak, press and hang up, and sets faults."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from importlib import resources

from aiohttp import web
from aiohttp.typedefs import Handler

from carrierbox.callees.magic import CALLER
from carrierbox.callees.party import rehearse
from carrierbox.callees.script import BadScript, Play, Press, Say, read_digits, read_script
from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Carrier
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import BoxIsFull, NoSuchCall
from carrierbox.calls.lifecycle import Direction, EndedBy, State, WrongState
from carrierbox.control.requests import BadRequest, read_json, read_number, read_whole
from carrierbox.control.surroundings import Surroundings
from carrierbox.control.views import detail, summary
from carrierbox.delivery.faults import BadFault
from carrierbox.line.recording import BadWav, read_wav, write_wav
from carrierbox.rest.credentials import bearer
from carrierbox.settings import LOOPBACK
from carrierbox.speech.voices import DEFAULT_VOICE, SpeechFailed

LARGEST_BODY = 12 * 1024 * 1024
LONGEST_WAIT_S = 120.0
DEFAULT_CALLER = "+12025550199"


class Control:
    """The routes. A token is asked for only if the box was given one."""

    def __init__(
        self,
        exchange: Exchange,
        carriers: Mapping[str, Carrier],
        surroundings: Surroundings,
        reset: Callable[[], Awaitable[None]],
        token: str,
    ) -> None:
        self._exchange = exchange
        self._carriers = carriers
        self._surroundings = surroundings
        self._numbers = surroundings.numbers
        self._reset = reset
        self._token = token

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
                *self._surroundings.routes(),
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
        return web.json_response({"calls": found[: read_whole(query.get("limit", "100"), "limit", 1, 1000)]})

    async def inspect(self, request: web.Request) -> web.Response:
        """With `until=<state>` or `event=<event>`, the answer waits for it, at most `timeout_s`."""
        call = self._exchange.ledger.get(request.match_info["id"])
        query = request.query
        if "until" in query or "event" in query:
            timeout = min(LONGEST_WAIT_S, float(read_whole(query.get("timeout_s", "30"), "timeout_s", 0, 600)))
            if not await _came(call, query.get("until"), query.get("event"), timeout):
                return web.json_response(detail(call) | {"timed_out": True}, status=408)
        return web.json_response(detail(call))

    async def start_inbound(self, request: web.Request) -> web.Response:
        """Somebody calls one of the numbers."""
        body = await read_json(request)
        carrier = self._carriers.get(str(body.get("carrier")))
        if carrier is None:
            raise BadRequest(f"carrier must be one of {', '.join(self._carriers)}.")
        called = self._numbers.find(carrier.name, read_number(body.get("to"), "to"))
        if called is None:
            raise BadRequest(f"No account of {carrier.name} here owns that number.")
        script = read_script(body["script"]) if "script" in body else CALLER
        await rehearse(script.moves, self._exchange.tools.voices)
        call = Call(
            id=carrier.new_call_id(),
            carrier=carrier.name,
            account_id=called.account_id,
            direction=Direction.INBOUND,
            caller=read_number(body.get("from", DEFAULT_CALLER), "from"),
            callee=called.e164,
            created_at=self._exchange.tools.clock.now(),
            terms=carrier.inbound_terms(called),
        )
        self._exchange.place(carrier, call, script)
        return web.json_response(detail(call), status=201)

    async def say(self, request: web.Request) -> web.Response:
        body = await read_json(request)
        text, voice = str(body.get("text", "")), str(body.get("voice", DEFAULT_VOICE))
        if not 0 < len(text) <= 2000:
            raise BadRequest("text must have 1 to 2000 characters.")
        await self._exchange.phone(request.match_info["id"]).interject(Say(text, voice))
        return web.Response(status=204)

    async def press(self, request: web.Request) -> web.Response:
        body = await read_json(request)
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

    async def reset(self, _request: web.Request) -> web.Response:
        await self._reset()
        return web.Response(status=204)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._token and not hmac.compare_digest((bearer(request) or "").encode(), self._token.encode()):
            return _problem(401, "Send the control token as Authorization: Bearer.")
        if not self._token and request.url.host not in LOOPBACK:
            return _problem(403, "Ask for this by the name of the loopback interface, or set a control token.")
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

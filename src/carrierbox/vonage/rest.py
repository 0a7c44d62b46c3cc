"""Vonage's Voice API under `/v1/calls`. It takes only tokens that applications signed."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from carrierbox.accounts import Accounts
from carrierbox.calls.call import Call
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import BoxIsFull, NoSuchCall
from carrierbox.calls.lifecycle import Direction, EndedBy, WrongState
from carrierbox.calls.phone_call import PhoneCall
from carrierbox.calls.rate import RollingSecond
from carrierbox.calls.steps import BadDocument
from carrierbox.line.tones import PAIRS, PAUSES
from carrierbox.numbers import Numbers
from carrierbox.vonage.applications import Application
from carrierbox.vonage.carrier import Vonage
from carrierbox.vonage.orders import Body, read_callee, read_caller, read_detection, read_steps, read_terms, read_whole
from carrierbox.vonage.problems import LabelledProblem, VonageProblem, invalid, not_found
from carrierbox.vonage.requests import NAME, application_of, read_body
from carrierbox.vonage.rest_account import AccountRoutes
from carrierbox.vonage.terms import terms_of
from carrierbox.vonage.words import render_call, status_of

MUTES = ("mute", "unmute", "earmuff", "unearmuff")
ONE = "/v1/calls/{uuid}"


class VonageRest:
    """The routes, and what stands behind them."""

    def __init__(self, vonage: Vonage, exchange: Exchange, accounts: Accounts, account_routes: AccountRoutes) -> None:
        self._vonage = vonage
        self._exchange = exchange
        self._accounts = accounts
        self._account_routes = account_routes
        self._lately = RollingSecond()

    @property
    def _numbers(self) -> Numbers:
        return self._account_routes.numbers

    def app(self, faulty: Middleware) -> web.Application:
        app = web.Application(middlewares=[_render, faulty], client_max_size=256 * 1024)
        app.add_routes(
            [
                *self._account_routes.routes(),
                web.post("/v1/calls", self.place_call, name="place_call"),
                web.get("/v1/calls", self.list_calls, name="list_calls"),
                web.get(ONE, self.fetch_call, name="fetch_call"),
                web.put(ONE, self.update_call, name="update_call"),
                web.put(f"{ONE}/dtmf", self.press, name="press"),
                web.put(f"{ONE}/talk", self.talk, name="talk"),
                web.delete(f"{ONE}/talk", self.stop_talk, name="stop_talk"),
            ]
        )
        return app

    async def place_call(self, request: web.Request) -> web.Response:
        application, body = self._application(request), await read_body(request)
        account = self._accounts.find(NAME, application.account_id)
        assert account is not None
        callee, keys = read_callee(body)
        clock = self._exchange.tools.clock
        call = Call(
            id=self._vonage.new_call_id(),
            carrier=NAME,
            account_id=account.id,
            direction=Direction.OUTBOUND,
            caller=self._caller(account.id, read_caller(body)),
            callee=callee,
            created_at=clock.now(),
            terms=read_terms(body, application),
            ring_timeout_s=read_whole(body, "ringing_timer", 60, 1, 120),
            time_limit_s=read_whole(body, "length_timer", 7200, 1, 86_400),
            detection=read_detection(body),
            send_digits=_digits(keys),
        )
        self._exchange.ledger.admit()
        if not self._lately.admits(account.id, account.calls_per_second, clock.seconds()):
            raise VonageProblem(429, "Rate Limit Hit", "Please wait, then retry your request.")
        self._exchange.place(self._vonage, call)
        answer = {
            "uuid": call.id,
            "status": "started",
            "direction": "outbound",
            "conversation_uuid": terms_of(call).conversation_uuid,
        }
        return web.json_response(answer, status=201)

    async def list_calls(self, request: web.Request) -> web.Response:
        application, query = self._application(request), request.query
        size = read_whole(query, "page_size", 10, 1, 100)
        start = read_whole(query, "record_index", 0, 0, 1_000_000)
        newest_first = self._exchange.ledger.of_account(NAME, application.account_id)
        found = [
            call
            for call in (newest_first if query.get("order") == "desc" else reversed(newest_first))
            if query.get("status", status_of(call)) == status_of(call)
            and query.get("conversation_uuid", terms_of(call).conversation_uuid) == terms_of(call).conversation_uuid
            and query.get("date_start", "")[:19] <= call.created_at.isoformat()[:19]
            and call.created_at.isoformat()[:19] <= query.get("date_end", "9999")[:19]
        ]
        body = {
            "count": len(found),
            "page_size": size,
            "record_index": start,
            "_embedded": {"calls": [render_call(call) for call in found[start : start + size]]},
            "_links": {"self": {"href": str(request.rel_url)}},
        }
        return web.json_response(body)

    async def fetch_call(self, request: web.Request) -> web.Response:
        return web.json_response(render_call(self._call(request)))

    async def update_call(self, request: web.Request) -> web.Response:
        phone, body = self._phone(request), await read_body(request)
        action = body.get("action")
        if action == "hangup":
            phone.hang_up(EndedBy.API)
        elif action == "transfer":
            await self._transfer(phone, body)
        elif action in MUTES:
            phone.note("ignored", action=action)
        else:
            raise invalid("action", f"{action!r} is unknown")
        return web.Response(status=204)

    async def press(self, request: web.Request) -> web.Response:
        phone, body = self._phone(request), await read_body(request)
        digits = _digits(str(body.get("digits", "")))
        if not digits:
            raise invalid("digits", "there are none")
        phone.press_to_phone(digits)
        return web.json_response({"message": "DTMF sent", "uuid": phone.call.id})

    async def talk(self, request: web.Request) -> web.Response:
        phone, body = self._phone(request), await read_body(request)
        text = str(body.get("text", ""))
        if not 0 < len(text) <= 1500:
            raise invalid("text", "it must have 1 to 1500 characters")
        phone.conversation.playout.push(await self._exchange.tools.voices.say(text))
        return web.json_response({"message": "Talk started", "uuid": phone.call.id})

    async def stop_talk(self, request: web.Request) -> web.Response:
        phone = self._phone(request)
        phone.conversation.playout.clear()
        return web.json_response({"message": "Talk stopped", "uuid": phone.call.id})

    async def _transfer(self, phone: PhoneCall, body: Body) -> None:
        destination = body.get("destination")
        if not isinstance(destination, dict) or destination.get("type") != "ncco":
            raise invalid("destination", "its type must be ncco")
        steps, url = read_steps(destination), destination.get("url")
        terms = terms_of(phone.call)
        if steps is not None:
            terms.steps = steps
            await phone.redirect(self._vonage.answer(phone.call))
        elif isinstance(url, list) and len(url) == 1:
            await phone.redirect(self._vonage.go_to(phone.call, str(url[0]), "GET"))
        else:
            raise invalid("destination", "it needs a url or an ncco")

    def _application(self, request: web.Request) -> Application:
        return application_of(request, self._account_routes.applications)

    def _call(self, request: web.Request) -> Call:
        application = self._application(request)
        return self._exchange.ledger.find(request.match_info["uuid"], NAME, application.account_id)

    def _phone(self, request: web.Request) -> PhoneCall:
        return self._exchange.phone(self._call(request).id)

    def _caller(self, account_id: str, asked: str | None) -> str:
        owned = self._numbers.of_account(NAME, account_id)
        if asked is None and owned:
            return owned[0].e164
        if asked is None or self._numbers.owned(NAME, account_id, asked) is None:
            raise invalid("from", "the number is not one of this account's")
        return asked


def _digits(raw: str) -> str:
    if len(raw) > 64 or any(key not in PAIRS and key not in PAUSES for key in raw):
        raise invalid("digits", "only 0-9 * # and p are keys")
    return raw


@web.middleware
async def _render(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (VonageProblem, LabelledProblem) as problem:
        return problem.render()
    except (NoSuchCall, WrongState, web.HTTPNotFound):
        return not_found().render()
    except BoxIsFull as error:
        return VonageProblem(429, "Too Many Calls", str(error)).render()
    except BadDocument as error:
        return invalid("ncco", str(error)).render()
    except web.HTTPException as error:
        return VonageProblem(error.status, error.reason, error.reason).render()

"""Plivo's REST API under `/v1/Account`: the account and calls. Bodies are JSON, and every path ends in a slash."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from carrierbox.accounts import Accounts
from carrierbox.calls.call import Call
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import BoxIsFull, NoSuchCall
from carrierbox.calls.lifecycle import Direction, EndedBy, State, WrongState
from carrierbox.calls.rate import TurnQueue
from carrierbox.numbers import Numbers, to_e164
from carrierbox.plivo.carrier import NAME, Plivo
from carrierbox.plivo.orders import (
    read_detection,
    read_digits,
    read_method,
    read_number,
    read_terms,
    read_url,
    read_whole,
)
from carrierbox.plivo.problems import PlivoProblem, answer, not_found, unauthenticated
from carrierbox.plivo.requests import ACCOUNT, account_of, page_of, read_body
from carrierbox.plivo.rest_numbers import NumberRoutes
from carrierbox.plivo.terms import terms_of
from carrierbox.plivo.words import render_live, render_record
from carrierbox.rest.credentials import basic

ROOT = "/v1/Account/{account}/"
_WAITING = (State.QUEUED, State.INITIATED)


class PlivoRest:
    """The routes, and what stands behind them."""

    def __init__(self, plivo: Plivo, exchange: Exchange, accounts: Accounts, numbers: NumberRoutes) -> None:
        self._plivo = plivo
        self._exchange = exchange
        self._accounts = accounts
        self._number_routes = numbers
        self._turns = TurnQueue()

    @property
    def _numbers(self) -> Numbers:
        return self._number_routes.numbers

    def app(self, faulty: Middleware) -> web.Application:
        app = web.Application(middlewares=[_render, faulty, self._authenticate], client_max_size=256 * 1024)
        app.add_routes(
            [
                web.get(ROOT, self.validate, name="validate"),
                *self._number_routes.routes(ROOT),
                web.post(f"{ROOT}Call/", self.place_call, name="place_call"),
                web.get(f"{ROOT}Call/", self.list_calls, name="list_calls"),
                web.get(f"{ROOT}Call/{{uuid}}/", self.fetch_call, name="fetch_call"),
                web.post(f"{ROOT}Call/{{uuid}}/", self.transfer, name="update_call"),
                web.delete(f"{ROOT}Call/{{uuid}}/", self.hang_up, name="hang_up"),
                web.delete(f"{ROOT}Request/{{uuid}}/", self.cancel, name="cancel"),
                web.post(f"{ROOT}Call/{{uuid}}/DTMF/", self.press, name="press"),
            ]
        )
        return app

    async def validate(self, request: web.Request) -> web.Response:
        account = account_of(request)
        return answer(
            {
                "auth_id": account.id,
                "name": account.name,
                "account_type": "developer" if account.trial else "standard",
                "billing_mode": "prepaid",
                "cash_credits": "100.00000",
                "auto_recharge": False,
                "city": "Springfield",
                "state": "Oregon",
                "address": "1 Example Street",
                "timezone": "America/Los_Angeles",
                "resource_uri": f"/v1/Account/{account.id}/",
            }
        )

    async def place_call(self, request: web.Request) -> web.Response:
        account, body = account_of(request), await read_body(request)
        to, caller = read_number(body, "to"), read_number(body, "from")
        if self._numbers.owned(NAME, account.id, caller) is None:
            raise PlivoProblem(400, "from parameter is invalid: the number is not rented by this account")
        clock = self._exchange.tools.clock
        call = Call(
            id=self._plivo.new_call_id(),
            carrier=NAME,
            account_id=account.id,
            direction=Direction.OUTBOUND,
            caller=caller,
            callee=to,
            created_at=clock.now(),
            terms=read_terms(body),
            ring_timeout_s=read_whole(body, "ring_timeout", 120, 1, 600),
            time_limit_s=read_whole(body, "time_limit", 14_400, 1, 86_400),
            detection=read_detection(body),
            send_digits=read_digits(body, "send_digits"),
        )
        self._exchange.ledger.admit()
        wait_s = self._turns.wait_s(NAME, account.id, account.calls_per_second, clock.seconds())
        call.queue_ms = round(wait_s * 1000)
        self._exchange.place(self._plivo, call)
        return answer({"message": "call fired", "request_uuid": call.id}, 201)

    async def list_calls(self, request: web.Request) -> web.Response:
        account, status = account_of(request), request.query.get("status")
        known = self._exchange.ledger.of_account(NAME, account.id)
        if status == "live":
            return answer({"calls": [c.id for c in known if not c.is_over and c.state not in _WAITING]})
        if status == "queued":
            return answer({"calls": [c.id for c in known if c.state in _WAITING]})
        query = request.query
        ended = [
            call
            for call in known
            if call.is_over
            and to_e164(query.get("to_number", "")) in (None, call.callee)
            and to_e164(query.get("from_number", "")) in (None, call.caller)
        ]
        return page_of(request, ended, render_record)

    async def fetch_call(self, request: web.Request) -> web.Response:
        call, status = self._call(request), request.query.get("status")
        waiting = call.state in _WAITING
        if status == "live" and not call.is_over and not waiting:
            return answer(render_live(call))
        if status == "queued" and waiting:
            return answer(render_live(call))
        if status is None and call.is_over:
            return answer(render_record(call))
        raise not_found()

    async def transfer(self, request: web.Request) -> web.Response:
        """Only the first leg: that is the one an application's XML runs on."""
        call, body = self._call(request), await read_body(request)
        if body.get("legs", "aleg") not in ("aleg", "both"):
            raise PlivoProblem(400, "legs parameter is invalid: carrierbox transfers the aleg")
        phone = self._exchange.phone(call.id)
        url, method = read_url(body, "aleg_url", required=True), read_method(body, "aleg_method")
        if call.state is not State.IN_PROGRESS:
            raise not_found()
        await phone.redirect(self._plivo.go_to(call, url, method))
        terms = terms_of(call)
        terms.answer_url, terms.answer_method = url, method
        return answer({"message": "call transferred", "call_uuids": [call.id]}, 202)

    async def hang_up(self, request: web.Request) -> web.Response:
        call = self._call(request)
        if call.state in _WAITING:
            raise not_found()
        self._exchange.phone(call.id).hang_up(EndedBy.API)
        return web.Response(status=204)

    async def cancel(self, request: web.Request) -> web.Response:
        call = self._call(request)
        if call.state not in _WAITING:
            raise not_found()
        self._exchange.phone(call.id).hang_up(EndedBy.API)
        return web.Response(status=204)

    async def press(self, request: web.Request) -> web.Response:
        call, body = self._call(request), await read_body(request)
        digits = read_digits(body, "digits")
        if not digits:
            raise PlivoProblem(400, "digits parameter not present")
        self._exchange.phone(call.id).press_to_phone(digits)
        return answer({"message": "digits sent"}, 202)

    def _call(self, request: web.Request) -> Call:
        return self._exchange.ledger.find(request.match_info["uuid"], NAME, account_of(request).id)

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        given = basic(request)
        account = self._accounts.authenticate(NAME, *given) if given else None
        if account is None or request.match_info.get("account", account.id) != account.id:
            return unauthenticated()
        request[ACCOUNT] = account
        return await handler(request)


@web.middleware
async def _render(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except PlivoProblem as problem:
        return problem.render()
    except (NoSuchCall, WrongState, web.HTTPNotFound):
        return not_found().render()
    except BoxIsFull as error:
        return PlivoProblem(429, str(error)).render()
    except web.HTTPException as error:
        return PlivoProblem(error.status, error.reason).render()

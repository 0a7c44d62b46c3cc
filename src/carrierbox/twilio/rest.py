"""Twilio's REST API under `/2010-04-01`: accounts, numbers and calls."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from carrierbox.accounts import Account, Accounts
from carrierbox.calls.call import Call
from carrierbox.calls.exchange import Exchange
from carrierbox.calls.ledger import BoxIsFull, NoSuchCall
from carrierbox.calls.lifecycle import Direction, EndedBy, State
from carrierbox.calls.rate import TurnQueue
from carrierbox.numbers import Numbers, OwnedNumber, to_e164
from carrierbox.rest.credentials import basic
from carrierbox.twilio.carrier import NAME, Twilio
from carrierbox.twilio.orders import (
    Form,
    one,
    read_detection,
    read_digits,
    read_method,
    read_number,
    read_terms,
    read_url,
    read_whole,
)
from carrierbox.twilio.problems import TwilioProblem, bad_parameter, not_found, unauthenticated
from carrierbox.twilio.terms import terms_of
from carrierbox.twilio.words import API_VERSION, render_call, rfc2822, status_of

ROOT = f"/{API_VERSION}/Accounts/{{account}}"
SETTINGS = {
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "VoiceApplicationSid": "voice_application_sid",
    "TrunkSid": "trunk_sid",
}

Item = TypeVar("Item")


class TwilioRest:
    """The routes, and what stands behind them."""

    def __init__(self, twilio: Twilio, exchange: Exchange, accounts: Accounts, numbers: Numbers) -> None:
        self._twilio = twilio
        self._exchange = exchange
        self._accounts = accounts
        self._numbers = numbers
        self._turns = TurnQueue()

    def app(self, faulty: Middleware) -> web.Application:
        app = web.Application(middlewares=[_render, faulty], client_max_size=256 * 1024)
        app.add_routes(
            [
                web.get(f"{ROOT}.json", self.validate, name="validate"),
                web.get(f"{ROOT}/Balance.json", self.balance, name="balance"),
                web.get(f"{ROOT}/IncomingPhoneNumbers.json", self.list_numbers, name="list_numbers"),
                web.get(f"{ROOT}/IncomingPhoneNumbers/{{sid}}.json", self.fetch_number, name="fetch_number"),
                web.post(f"{ROOT}/IncomingPhoneNumbers/{{sid}}.json", self.update_number, name="update_number"),
                web.post(f"{ROOT}/Calls.json", self.place_call, name="place_call"),
                web.get(f"{ROOT}/Calls.json", self.list_calls, name="list_calls"),
                web.get(f"{ROOT}/Calls/{{sid}}.json", self.fetch_call, name="fetch_call"),
                web.post(f"{ROOT}/Calls/{{sid}}.json", self.update_call, name="update_call"),
            ]
        )
        return app

    async def validate(self, request: web.Request) -> web.Response:
        account = self._account(request)
        base = f"/{API_VERSION}/Accounts/{account.id}"
        # Twilio does send the token back to whoever knew it.
        return web.json_response(
            {
                "sid": account.id,
                "owner_account_sid": account.id,
                "friendly_name": account.name,
                "status": account.status,
                "type": "Trial" if account.trial else "Full",
                "auth_token": account.secret,
                "date_created": "Thu, 01 Jan 2026 00:00:00 +0000",
                "date_updated": "Thu, 01 Jan 2026 00:00:00 +0000",
                "uri": f"{base}.json",
                "subresource_uris": {"calls": f"{base}/Calls.json"},
            }
        )

    async def balance(self, request: web.Request) -> web.Response:
        account = self._account(request)
        return web.json_response({"account_sid": account.id, "balance": "100.00", "currency": "USD"})

    async def list_numbers(self, request: web.Request) -> web.Response:
        account = self._account(request)
        wanted = to_e164(request.query.get("PhoneNumber", ""))
        owned = [n for n in self._numbers.of_account(NAME, account.id) if wanted in (None, n.e164)]
        return _page(request, "incoming_phone_numbers", owned, _render_number, 1000)

    async def fetch_number(self, request: web.Request) -> web.Response:
        return web.json_response(_render_number(self._number(request)))

    async def update_number(self, request: web.Request) -> web.Response:
        number, form = self._number(request), await _form(request)
        changed: dict[str, str] = {}
        for field, setting in SETTINGS.items():
            if field not in form:
                continue
            if field.endswith("Method"):
                changed[setting] = read_method(form, field)
            else:
                changed[setting] = one(form, field) if field.endswith("Sid") else read_url(form, field, 21502)
        number.settings |= changed
        number.label = one(form, "FriendlyName", number.label)
        return web.json_response(_render_number(number))

    async def place_call(self, request: web.Request) -> web.Response:
        account, form = self._account(request), await _form(request)
        to = read_number(form, "To", 21201, 21211)
        caller = read_number(form, "From", 21213, 21212)
        number = self._numbers.owned(NAME, account.id, caller)
        if number is None:
            raise TwilioProblem(400, 21210, f"The source phone number provided, {caller}, is not yet verified.")
        if account.trial and to not in self._exchange.scripts:
            raise TwilioProblem(400, 21219, f"The number {to} is unverified: trial accounts call verified ones.")
        terms = read_terms(form)
        terms.number_sid = number.sid
        if not terms.url and not terms.twiml:
            raise TwilioProblem(400, 21205, "Url parameter is required.")
        clock = self._exchange.tools.clock
        call = Call(
            id=self._twilio.new_call_id(),
            carrier=NAME,
            account_id=account.id,
            direction=Direction.OUTBOUND,
            caller=caller,
            callee=to,
            created_at=clock.now(),
            terms=terms,
            ring_timeout_s=read_whole(form, "Timeout", 60, 1, 600),
            time_limit_s=read_whole(form, "TimeLimit", 14_400, 1, 86_400),
            detection=read_detection(form),
            send_digits=read_digits(form),
        )
        self._exchange.ledger.admit()
        wait_s = self._turns.wait_s(NAME, account.id, account.calls_per_second, clock.seconds())
        call.queue_ms = round(wait_s * 1000)
        self._exchange.place(self._twilio, call)
        return web.json_response(render_call(call, clock.now()), status=201)

    async def list_calls(self, request: web.Request) -> web.Response:
        account = self._account(request)
        query = request.query
        found = [
            call
            for call in self._exchange.ledger.of_account(NAME, account.id)
            if to_e164(query.get("To", "")) in (None, call.callee)
            and to_e164(query.get("From", "")) in (None, call.caller)
            and query.get("Status", status_of(call)) == status_of(call)
            and call.created_at.isoformat() >= query.get("StartTime>", "")
            and call.created_at.date().isoformat() <= query.get("StartTime<", "9999")
        ]
        now = self._exchange.tools.clock.now()
        return _page(request, "calls", found, lambda call: render_call(call, now), 1000)

    async def fetch_call(self, request: web.Request) -> web.Response:
        return web.json_response(render_call(self._call(request), self._exchange.tools.clock.now()))

    async def update_call(self, request: web.Request) -> web.Response:
        call, form = self._call(request), await _form(request)
        status = one(form, "Status")
        if status not in ("", "completed", "canceled"):
            raise bad_parameter("Status", "it must be completed or canceled")
        if call.is_over or (status == "canceled" and call.state is State.IN_PROGRESS):
            raise TwilioProblem(400, 21220, f"Call is not in-progress. Cannot redirect. It is {status_of(call)}.")
        phone = self._exchange.phone(call.id)
        if status:
            phone.hang_up(EndedBy.API)
        else:
            fresh, terms = read_terms(form), terms_of(call)
            if call.state is not State.IN_PROGRESS:
                raise TwilioProblem(400, 21220, "Call is not in-progress. Cannot redirect.")
            if not fresh.url and not fresh.twiml:
                raise TwilioProblem(400, 21205, "Url, Twiml or Status is required.")
            terms.url, terms.method, terms.twiml = fresh.url, fresh.method, fresh.twiml
            terms.fallback_url, terms.fallback_method = fresh.fallback_url, fresh.fallback_method
            await phone.redirect(self._twilio.answer(call))
        return web.json_response(render_call(call, self._exchange.tools.clock.now()))

    def _account(self, request: web.Request) -> Account:
        given = basic(request)
        account = self._accounts.authenticate(NAME, *given) if given else None
        if account is None:
            raise unauthenticated()
        if request.match_info["account"] != account.id:
            raise not_found(request.path)
        return account

    def _number(self, request: web.Request) -> OwnedNumber:
        account = self._account(request)
        for number in self._numbers.of_account(NAME, account.id):
            if number.sid == request.match_info["sid"]:
                return number
        raise not_found(request.path)

    def _call(self, request: web.Request) -> Call:
        account = self._account(request)
        return self._exchange.ledger.find(request.match_info["sid"], NAME, account.id)


@web.middleware
async def _render(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except TwilioProblem as problem:
        return problem.render()
    except NoSuchCall:
        return not_found(request.path).render()
    except BoxIsFull as error:
        return TwilioProblem(429, 20429, str(error)).render()
    except web.HTTPNotFound:
        return not_found(request.path).render()
    except web.HTTPMethodNotAllowed:
        return TwilioProblem(405, 20004, "Method not allowed").render()
    except web.HTTPRequestEntityTooLarge:
        return TwilioProblem(413, 20001, "The request is too large").render()


async def _form(request: web.Request) -> Form:
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    form = await request.post()
    return {name: [str(value) for value in form.getall(name)] for name in form}


def _page(
    request: web.Request, key: str, items: Sequence[Item], render: Callable[[Item], object], largest: int
) -> web.Response:
    """One page. The address of the next is relative, as Twilio's are."""
    query = {name: [value] for name, value in request.query.items()}
    size, page = read_whole(query, "PageSize", 50, 1, largest), read_whole(query, "Page", 0, 0, 1_000_000)
    path = request.path.removeprefix("/twilio")

    def address(number: int) -> str:
        return f"{path}?{urlencode(dict(request.query) | {'PageSize': str(size), 'Page': str(number)})}"

    shown = items[page * size : (page + 1) * size]
    more = len(items) > (page + 1) * size
    return web.json_response(
        {
            key: [render(item) for item in shown],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(0, len(shown) - 1),
            "uri": address(page),
            "first_page_uri": address(0),
            "previous_page_uri": address(page - 1) if page else None,
            "next_page_uri": address(page + 1) if more else None,
        }
    )


def _render_number(number: OwnedNumber) -> dict[str, object]:
    unset = {setting: "POST" if setting.endswith("method") else "" for setting in SETTINGS.values()}
    settings = unset | number.settings
    return {
        "sid": number.sid,
        "account_sid": number.account_id,
        "phone_number": number.e164,
        "friendly_name": number.label or number.e164,
        "capabilities": {"voice": number.voice, "sms": True, "mms": False, "fax": False},
        "status": "in-use",
        "voice_receive_mode": "voice",
        "date_created": rfc2822(number.bought_at),
        "date_updated": rfc2822(number.bought_at),
        "api_version": API_VERSION,
        **settings,
        "voice_application_sid": number.settings.get("voice_application_sid") or None,
        "trunk_sid": number.settings.get("trunk_sid") or None,
        "uri": f"/{API_VERSION}/Accounts/{number.account_id}/IncomingPhoneNumbers/{number.sid}.json",
    }

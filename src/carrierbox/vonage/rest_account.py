"""Vonage's account, numbers and applications: everything that key and secret open."""

from collections.abc import Mapping

from aiohttp import web

from carrierbox.accounts import Accounts
from carrierbox.numbers import Numbers, OwnedNumber, to_e164
from carrierbox.vonage.applications import Application, Applications
from carrierbox.vonage.orders import read_url, read_whole
from carrierbox.vonage.problems import LabelledProblem, invalid, not_found
from carrierbox.vonage.requests import NAME, account_of, account_of_older_host, read_body
from carrierbox.vonage.tokens import is_public_key, make_key_pair
from carrierbox.vonage.words import bare

WEBHOOKS = ("answer_url", "event_url", "fallback_answer_url")
CALLBACK_TYPES = ("app", "sip", "tel")


class AccountRoutes:
    """The routes, and what stands behind them."""

    def __init__(self, accounts: Accounts, numbers: Numbers, applications: Applications) -> None:
        self._accounts = accounts
        self.numbers = numbers
        self.applications = applications

    def routes(self) -> list[web.RouteDef]:
        one = "/v2/applications/{application}"
        return [
            web.get("/account/get-balance", self.balance, name="validate"),
            web.post("/account/settings", self.settings, name="settings"),
            web.get("/account/numbers", self.list_numbers, name="list_numbers"),
            web.post("/number/update", self.update_number, name="update_number"),
            web.get("/v2/applications", self.list_applications, name="list_applications"),
            web.post("/v2/applications", self.create_application, name="create_application"),
            web.get(one, self.fetch_application, name="fetch_application"),
            web.put(one, self.update_application, name="update_application"),
            web.delete(one, self.delete_application, name="delete_application"),
        ]

    async def balance(self, request: web.Request) -> web.Response:
        account_of_older_host(request, self._accounts, {})
        return web.json_response({"value": 100.0, "autoReload": False})

    async def settings(self, request: web.Request) -> web.Response:
        account = account_of_older_host(request, self._accounts, await _form(request))
        body = {
            "mo-callback-url": "",
            "dr-callback-url": "",
            "max-outbound-request": 30,
            "max-inbound-request": 30,
            "max-calls-per-second": int(account.calls_per_second),
        }
        return web.json_response(body)

    async def list_numbers(self, request: web.Request) -> web.Response:
        account = account_of_older_host(request, self._accounts, {})
        owned = self.numbers.of_account(NAME, account.id)
        if not owned:
            return web.json_response({})
        size, index = read_whole(request.query, "size", 10, 1, 100), read_whole(request.query, "index", 1, 1, 100_000)
        shown = owned[(index - 1) * size : index * size]
        return web.json_response({"count": len(owned), "numbers": [_render_number(number) for number in shown]})

    async def update_number(self, request: web.Request) -> web.Response:
        form = await _form(request)
        account = account_of_older_host(request, self._accounts, form)
        number = self.numbers.owned(NAME, account.id, to_e164(form.get("msisdn", "")) or "")
        if number is None or form.get("country") != "US":
            raise LabelledProblem(420, "method failed")
        app_id, kind = form.get("app_id", ""), form.get("voiceCallbackType", "")
        if app_id and self.applications.find(account.id, app_id) is None:
            raise LabelledProblem(420, "Numbers from this country can be linked only to an application of yours")
        if kind and kind not in CALLBACK_TYPES:
            raise LabelledProblem(420, "method failed")
        # An update says everything: what it does not name is taken away.
        named = ("app_id", "voiceCallbackType", "voiceCallbackValue")
        number.settings = {name: form[name] for name in named if form.get(name)}
        return web.json_response({"error-code": "200", "error-code-label": "success"})

    async def list_applications(self, request: web.Request) -> web.Response:
        account = account_of(request, self._accounts)
        size, page = read_whole(request.query, "page_size", 10, 1, 100), read_whole(request.query, "page", 1, 1, 10_000)
        found = self.applications.of_account(account.id)
        shown = found[(page - 1) * size : page * size]
        body = {
            "page_size": size,
            "page": page,
            "total_items": len(found),
            "total_pages": -(-len(found) // size),
            "_embedded": {"applications": [_render_application(application) for application in shown]},
            "_links": {"self": {"href": f"/v2/applications?page_size={size}&page={page}"}},
        }
        return web.json_response(body)

    async def create_application(self, request: web.Request) -> web.Response:
        """Without a public key a pair is made, and this answer alone holds the private one."""
        account, body = account_of(request, self._accounts), await read_body(request)
        given = _public_key(body)
        private, public = ("", given) if given else make_key_pair()
        application = self.applications.add(Application(account.id, _name(body), public))
        _change(application, body)
        rendered = _render_application(application)
        if private:
            rendered["keys"] = {"public_key": public, "private_key": private}
        return web.json_response(rendered, status=201)

    async def fetch_application(self, request: web.Request) -> web.Response:
        return web.json_response(_render_application(self._application(request)))

    async def update_application(self, request: web.Request) -> web.Response:
        """The body is the whole application."""
        application, body = self._application(request), await read_body(request)
        application.name = _name(body)
        application.public_key = _public_key(body) or application.public_key
        _change(application, body)
        return web.json_response(_render_application(application))

    async def delete_application(self, request: web.Request) -> web.Response:
        application = self._application(request)
        self.applications.remove(application)
        for number in self.numbers.of_account(NAME, application.account_id):
            if number.settings.get("app_id") == application.id:
                del number.settings["app_id"]
        return web.Response(status=204)

    def _application(self, request: web.Request) -> Application:
        account = account_of(request, self._accounts)
        application = self.applications.find(account.id, request.match_info["application"])
        if application is None:
            raise not_found()
        return application


async def _form(request: web.Request) -> dict[str, str]:
    return {name: str(value) for name, value in (await request.post()).items()}


def _name(body: Mapping[str, object]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise invalid("name", "it must be there")
    return name


def _public_key(body: Mapping[str, object]) -> str:
    keys = body.get("keys")
    key = keys.get("public_key") if isinstance(keys, Mapping) else None
    if key is None:
        return ""
    if not isinstance(key, str) or not is_public_key(key):
        raise invalid("keys.public_key", "it is not an RSA public key as PEM")
    return key


def _change(application: Application, body: Mapping[str, object]) -> None:
    capabilities, privacy = body.get("capabilities", {}), body.get("privacy", {})
    if not isinstance(capabilities, Mapping) or not isinstance(privacy, Mapping):
        raise invalid("capabilities", "it must be an object")
    application.capabilities, application.privacy = capabilities, privacy
    for name in WEBHOOKS:
        webhook = application.webhook(name, "POST")
        if webhook.address:
            read_url(webhook.address, f"capabilities.voice.webhooks.{name}.address")


def _render_application(application: Application) -> dict[str, object]:
    return {
        "id": application.id,
        "name": application.name,
        "keys": {"public_key": application.public_key},
        "capabilities": dict(application.capabilities),
        "privacy": dict(application.privacy),
        "_links": {"self": {"href": f"/v2/applications/{application.id}"}},
    }


def _render_number(number: OwnedNumber) -> dict[str, object]:
    return {
        "country": "US",
        "msisdn": bare(number.e164),
        "type": "mobile-lvn",
        "features": ["VOICE", "SMS"] if number.voice else ["SMS"],
        **number.settings,
    }

"""Plivo's numbers and the applications they point to."""

from aiohttp import web

from carrierbox.numbers import Numbers, OwnedNumber, to_e164
from carrierbox.plivo.applications import FIELDS, Application, Applications, NameTaken
from carrierbox.plivo.orders import Body, read_method, read_url
from carrierbox.plivo.problems import PlivoProblem, answer, not_found
from carrierbox.plivo.requests import account_of, page_of, read_body
from carrierbox.plivo.words import bare, stamp

NAME = "plivo"


class NumberRoutes:
    """The part of the API that says where calls to a number go."""

    def __init__(self, numbers: Numbers, applications: Applications) -> None:
        self.numbers = numbers
        self._applications = applications

    def routes(self, root: str) -> list[web.RouteDef]:
        application = f"{root}Application/{{application}}/"
        return [
            web.get(f"{root}Number/", self.list_numbers, name="list_numbers"),
            web.get(f"{root}Number/{{number}}/", self.fetch_number, name="fetch_number"),
            web.post(f"{root}Number/{{number}}/", self.update_number, name="update_number"),
            web.get(f"{root}Application/", self.list_applications, name="list_applications"),
            web.post(f"{root}Application/", self.create_application, name="create_application"),
            web.get(application, self.fetch_application, name="fetch_application"),
            web.post(application, self.update_application, name="update_application"),
            web.delete(application, self.delete_application, name="delete_application"),
        ]

    async def list_numbers(self, request: web.Request) -> web.Response:
        owned = self.numbers.of_account(NAME, account_of(request).id)
        services = request.query.get("services", "")
        shown = [number for number in owned if number.voice or "voice" not in services]
        return page_of(request, shown, _render_number)

    async def fetch_number(self, request: web.Request) -> web.Response:
        return answer(_render_number(self._number(request)))

    async def update_number(self, request: web.Request) -> web.Response:
        number, body = self._number(request), await read_body(request)
        if "app_id" in body:
            app_id = str(body["app_id"] or "")
            if app_id and self._applications.find(number.account_id, app_id) is None:
                raise PlivoProblem(400, "app_id parameter is invalid: there is no such application")
            number.settings["app_id"] = app_id
        number.label = str(body.get("alias", number.label))
        return answer({"message": "changed"}, 202)

    async def list_applications(self, request: web.Request) -> web.Response:
        found = self._applications.of_account(account_of(request).id)
        wanted = request.query.get("app_name", "")
        return page_of(request, [a for a in found if a.name.startswith(wanted)], _render_application)

    async def create_application(self, request: web.Request) -> web.Response:
        account, body = account_of(request), await read_body(request)
        name = str(body.get("app_name", ""))
        if not name:
            raise PlivoProblem(400, "app_name parameter not present")
        try:
            application = self._applications.create(account.id, name, _fields(body))
        except NameTaken:
            raise PlivoProblem(400, f"app_name {name} is already in use") from None
        return answer({"app_id": application.id, "message": "created"}, 201)

    async def fetch_application(self, request: web.Request) -> web.Response:
        return answer(_render_application(self._application(request)))

    async def update_application(self, request: web.Request) -> web.Response:
        application = self._application(request)
        application.fields |= _fields(await read_body(request))
        return answer({"message": "changed"}, 202)

    async def delete_application(self, request: web.Request) -> web.Response:
        self._applications.remove(self._application(request))
        return web.Response(status=204)

    def _number(self, request: web.Request) -> OwnedNumber:
        e164 = to_e164(request.match_info["number"]) or ""
        number = self.numbers.owned(NAME, account_of(request).id, e164)
        if number is None:
            raise not_found()
        return number

    def _application(self, request: web.Request) -> Application:
        application = self._applications.find(account_of(request).id, request.match_info["application"])
        if application is None:
            raise not_found()
        return application


def _fields(body: Body) -> dict[str, str]:
    return {
        name: read_method(body, name) if name.endswith("method") else read_url(body, name)
        for name in FIELDS
        if name in body
    }


def _render_number(number: OwnedNumber) -> dict[str, object]:
    app_id = number.settings.get("app_id")
    return {
        "number": bare(number.e164),
        "alias": number.label,
        "country": "United States",
        "type": "local",
        "voice_enabled": number.voice,
        "sms_enabled": True,
        "application": f"/v1/Account/{number.account_id}/Application/{app_id}/" if app_id else None,
        "added_on": stamp(number.bought_at)[:10],
        "monthly_rental_rate": "0.80000",
        "resource_uri": f"/v1/Account/{number.account_id}/Number/{bare(number.e164)}/",
    }


def _render_application(application: Application) -> dict[str, object]:
    return {
        "app_id": application.id,
        "app_name": application.name,
        **{name: application.get(name) for name in FIELDS},
        "default_app": False,
        "enabled": True,
        "resource_uri": f"/v1/Account/{application.account_id}/Application/{application.id}/",
    }

"""Who asks Vonage's APIs: accounts with key and secret, or applications with a token of their own."""

from collections.abc import Mapping

from aiohttp import web

from carrierbox.accounts import Account, Accounts
from carrierbox.rest.credentials import basic, bearer
from carrierbox.vonage.applications import Application, Applications
from carrierbox.vonage.problems import LabelledProblem, VonageProblem, unauthorized
from carrierbox.vonage.tokens import BadToken, read_request_token

NAME = "vonage"


def application_of(request: web.Request, applications: Applications) -> Application:
    """Calls take only an application's token; key and secret are refused."""

    def public_key_of(application_id: str) -> str | None:
        application = applications.get(application_id)
        return application.public_key if application else None

    token = bearer(request)
    if token is None:
        raise unauthorized()
    try:
        application = applications.get(read_request_token(token, public_key_of))
    except BadToken as error:
        raise unauthorized() from error
    assert application is not None
    return application


def account_of(request: web.Request, accounts: Accounts) -> Account:
    """Key and secret as Basic authentication."""
    given = basic(request)
    account = accounts.authenticate(NAME, *given) if given else None
    if account is None:
        raise unauthorized()
    return account


def account_of_older_host(request: web.Request, accounts: Accounts, form: Mapping[str, str]) -> Account:
    """The older host takes key and secret from the query or the form, and Basic authentication too."""
    given = basic(request)
    if given is None:
        either = {**form, **request.query}
        given = either.get("api_key", ""), either.get("api_secret", "")
    account = accounts.authenticate(NAME, *given)
    if account is None:
        raise LabelledProblem(401, "authentication failed")
    return account


async def read_body(request: web.Request) -> Mapping[str, object]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise VonageProblem(400, "Bad Request", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise VonageProblem(400, "Bad Request", "The body is not a JSON object.")
    return body

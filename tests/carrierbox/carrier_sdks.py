"""The carriers' own clients, unchanged but for where their requests go."""

from urllib.parse import urlsplit

import plivo
import requests
import vonage
from requests.adapters import HTTPAdapter
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client as TwilioClient

from carrierbox import stock


class Redirected(HTTPAdapter):
    """Sends what is meant for the carrier's hosts to the box instead."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base

    def send(self, request: requests.PreparedRequest, **kwargs: object) -> requests.Response:
        at = urlsplit(request.url)
        request.url = f"{self._base}{at.path}{'?' + at.query if at.query else ''}"
        return super().send(request, **kwargs)


def vonage_client(address: str, application: tuple[str, str] | None = None) -> vonage.Vonage:
    """With an application's id and private key it can call; without, it is the account itself."""
    auth = (
        vonage.Auth(application_id=application[0], private_key=application[1])
        if application
        else vonage.Auth(api_key=stock.VONAGE_KEY, api_secret=stock.VONAGE_SECRET)
    )
    client = vonage.Vonage(auth)
    client.http_client._session.mount("https://", Redirected(f"{address}/vonage"))
    return client


def plivo_client(address: str, token: str = stock.PLIVO_TOKEN) -> plivo.RestClient:
    client = plivo.RestClient(stock.PLIVO_ID, token)
    client.session.mount("https://", Redirected(f"{address}/plivo"))
    return client


def twilio_client(address: str, token: str = stock.TWILIO_TOKEN) -> TwilioClient:
    http = TwilioHttpClient()
    http.session.mount("https://", Redirected(f"{address}/twilio"))
    return TwilioClient(stock.TWILIO_SID, token, http_client=http)

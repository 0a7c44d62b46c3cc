"""Whether Twilio sent a request: an HMAC over the public address and the sorted form."""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rymi_server.telephony.carriers.carrier import SignedRequest
from rymi_server.telephony.carriers.forms import form_of, query_of

_HEADER = "x-twilio-signature"
_SETTINGS = "x-twilio-webhooks-signature-settings"
_FORM = "application/x-www-form-urlencoded"
_ADDRESS = re.compile(r"(?P<scheme>[a-z]+)(?P<host>://[^/?#]+?)(?P<port>:\d+)?(?P<rest>[/?#].*)?", re.DOTALL)
_USUAL_PORTS = {"https": ":443", "wss": ":443", "http": ":80", "ws": ":80"}


def sign(token: str, url: str, form: Mapping[str, Sequence[str]], algorithm: Callable[..., Any] = hashlib.sha1) -> str:
    """`form` is empty for a GET and for a socket, whose parameters stand in the address."""
    signed = url + "".join(name + value for name in sorted(form) for value in sorted(set(form[name])))
    return b64encode(hmac.new(token.encode(), signed.encode(), algorithm).digest()).decode()


def verifies(token: str, request: SignedRequest) -> bool:
    given = request.headers.get(_HEADER, "")
    is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
    if not is_form and request.body and not _names_body(request):
        return False
    algorithm = hashlib.sha256 if "HMAC_SHA256" in request.headers.get(_SETTINGS, "") else hashlib.sha1
    form = form_of(request) if is_form else {}
    expected = [sign(token, address, form, algorithm) for address in (request.url, _with_or_without_port(request.url))]
    return any([hmac.compare_digest(each.encode(), given.encode()) for each in expected])


def verifies_socket(token: str, request: SignedRequest) -> bool:
    """A handshake is signed like any other GET, over the address with `wss`."""
    return verifies(token, request)


def _with_or_without_port(url: str) -> str:
    """The other way to write it: Twilio signs some addresses without their port, and some with the usual one."""
    at = _ADDRESS.fullmatch(url)
    if at is None:
        return url
    port = "" if at["port"] else _USUAL_PORTS.get(at["scheme"], "")
    return f"{at['scheme']}{at['host']}{port}{at['rest'] or ''}"


def _names_body(request: SignedRequest) -> bool:
    """What is not a form is not signed itself: the address names its digest."""
    (named,) = query_of(request.url).get("bodySHA256", [""])[:1]
    return hmac.compare_digest(named.lower().encode(), hashlib.sha256(request.body).hexdigest().encode())

"""Plivo's part in the life of a call: what it tells the application, asks it, and how it opens media sockets."""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from urllib.parse import urldefrag, urlencode, urlsplit

from carrierbox.accounts import Accounts
from carrierbox.callees.script import Being
from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Moment, SocketTerms, Source, Stream, StreamChange, Wire
from carrierbox.calls.steps import Connect, Step
from carrierbox.clock import Clock
from carrierbox.delivery.callback import Callback, Outgoing, Patience, Reply
from carrierbox.numbers import OwnedNumber
from carrierbox.plivo.applications import Applications
from carrierbox.plivo.signature import sign
from carrierbox.plivo.stream import PlivoWire
from carrierbox.plivo.terms import PlivoTerms, terms_of
from carrierbox.plivo.words import call_fields, end_fields
from carrierbox.plivo.xml import StreamOptions, read_plivo_xml

NAME = "plivo"
PATIENCE = Patience(connect_s=2.0, total_s=55.0)
# The answer address is asked three times before the fallback is.
ANSWER_PATIENCE = Patience(connect_s=2.0, total_s=40.0, retries=2, retry_statuses=frozenset(range(500, 600)))
BUFFER_MS = 60_000
SOCKET_ATTEMPTS = 3
LARGEST_MESSAGE = 64 * 1024

_STREAM_EVENTS = {
    StreamChange.STARTED: "StartStream",
    StreamChange.STOPPED: "StopStream",
    StreamChange.CLOSED_BY_APP: "StopStream",
    StreamChange.FAILED: "DroppedStream",
    StreamChange.DEGRADED: "DegradedStream",
}


class Plivo:
    """Keeps `calls.carrier.Carrier`."""

    name = NAME
    buffer_ms = BUFFER_MS

    def __init__(self, accounts: Accounts, applications: Applications, clock: Clock) -> None:
        self._accounts = accounts
        self._applications = applications
        self._clock = clock

    def new_call_id(self) -> str:
        return str(uuid.uuid4())

    def new_stream_id(self) -> str:
        return str(uuid.uuid4())

    def child_terms(self, parent: Call) -> PlivoTerms:  # noqa: ARG002 - A dialed leg tells nothing of its own.
        return PlivoTerms()

    def inbound_terms(self, called: OwnedNumber) -> PlivoTerms:
        """A number has no addresses of its own: its application has."""
        application = self._applications.find(called.account_id, called.settings.get("app_id", ""))
        if application is None:
            return PlivoTerms()
        return PlivoTerms(
            answer_url=application.get("answer_url"),
            answer_method=application.get("answer_method"),
            fallback_url=application.get("fallback_answer_url"),
            fallback_method=application.get("fallback_method"),
            hangup_url=application.get("hangup_url"),
            hangup_method=application.get("hangup_method"),
        )

    def announce(self, call: Call, moment: Moment) -> list[Callback]:
        terms = terms_of(call)
        if moment is Moment.RINGING and terms.ring_url:
            fields = call_fields(call) | {"Event": "Ring"}
            return [self._form(call, "Ring", terms.ring_url, terms.ring_method, fields)]
        if moment is Moment.ENDED and terms.hangup_url:
            fields = call_fields(call) | end_fields(call) | {"Event": "Hangup"} | self._machine(call)
            return [self._form(call, "Hangup", terms.hangup_url, terms.hangup_method, fields)]
        return []

    def announce_verdict(self, call: Call) -> list[Callback]:
        """Plivo speaks up only when it was a machine."""
        terms = terms_of(call)
        if not terms.machine_url or not self._machine(call):
            return []
        fields = call_fields(call) | {"Event": "MachineDetection"} | self._machine(call)
        return [self._form(call, "MachineDetection", terms.machine_url, terms.machine_method, fields)]

    def announce_stream(self, call: Call, stream: Stream, change: StreamChange, why: str) -> list[Callback]:
        options = stream.step.options
        if not isinstance(options, StreamOptions) or not options.status_callback:
            return []
        fields = call_fields(call) | {
            "Event": _STREAM_EVENTS[change],
            "StreamID": stream.id,
            "ServiceURL": stream.step.url,
            "Timestamp": self._clock.now().isoformat(),
            "StatusReason": why,
        }
        return [self._form(call, _STREAM_EVENTS[change], options.status_callback, options.status_method, fields)]

    def answer(self, call: Call) -> Source:
        terms = terms_of(call)
        asked = [(terms.answer_url, terms.answer_method), (terms.fallback_url, terms.fallback_method)]
        return Source(requests=[self._question(call, url, method) for url, method in asked if url])

    def go_to(self, call: Call, url: str, method: str) -> Source:
        return Source(requests=[self._question(call, url, method)])

    def read(self, call: Call, reply: Reply) -> Sequence[Step]:  # noqa: ARG002 - The XML means the same in every call.
        return read_plivo_xml(reply.body)

    def may_connect(self, step: Connect) -> str | None:  # noqa: ARG002 - What is wrong with it is refused when read.
        return None

    def socket_terms(self, call: Call, stream: Stream) -> SocketTerms:
        """The handshake is signed as a GET of the address with `http` for its scheme."""
        _, _, rest = stream.step.url.partition("://")
        return SocketTerms(self._signature(call, f"http://{rest}", {}), SOCKET_ATTEMPTS, LARGEST_MESSAGE)

    def wire(self, call: Call, stream: Stream) -> Wire:
        step, began_ms = stream.step, round(self._clock.now().timestamp() * 1000)
        assert isinstance(step.options, StreamOptions)
        return PlivoWire(stream.id, call.id, call.account_id, step.encoding, step.rate, step.options, began_ms)

    def _question(self, call: Call, url: str, method: str) -> Callback:
        fields = call_fields(call) | {"Event": "StartApp"} | self._machine(call)
        return self._form(call, "answer", url, method, fields, ANSWER_PATIENCE)

    def _machine(self, call: Call) -> dict[str, str]:
        found = call.verdict is not None and call.verdict.being is Being.MACHINE
        return {"Machine": "true"} if found else {}

    def _form(
        self,
        call: Call,
        kind: str,
        url: str,
        method: str,
        fields: Mapping[str, str],
        patience: Patience = PATIENCE,
    ) -> Callback:
        url = urldefrag(url).url

        def prepare() -> Outgoing:
            if method == "GET":
                address = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
                return Outgoing(method, address, self._signature(call, address, {}))
            headers = self._signature(call, url, fields) | {"Content-Type": "application/x-www-form-urlencoded"}
            return Outgoing(method, url, headers, urlencode(fields).encode())

        return Callback(call.id, NAME, kind, url, prepare, patience)

    def _signature(self, call: Call, url: str, form: Mapping[str, str]) -> dict[str, str]:
        account, nonce = self._accounts.find(NAME, call.account_id), secrets.token_hex(10)
        signature = sign(account.signature_secret if account else "", url, form, nonce)
        return {
            "X-Plivo-Signature-V3": signature,
            "X-Plivo-Signature-Ma-V3": signature,
            "X-Plivo-Signature-V3-Nonce": nonce,
            "User-Agent": "PlivoCallback/1.0",
        }

"""Vonage's part in the life of a call: what it tells the application, asks it, and how it opens media sockets."""

import json
import uuid
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode, urlsplit

from carrierbox.accounts import Accounts
from carrierbox.callees.script import Being
from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Moment, SocketTerms, Source, Stream, StreamChange, Wire
from carrierbox.calls.lifecycle import Direction, Ending
from carrierbox.calls.steps import Connect, Reject, Step
from carrierbox.clock import Clock
from carrierbox.delivery.callback import Callback, Outgoing, Patience, Reply
from carrierbox.numbers import OwnedNumber
from carrierbox.vonage.applications import Application, Applications, Webhook
from carrierbox.vonage.ncco import SocketOptions, parse_ncco
from carrierbox.vonage.stream import VonageWire
from carrierbox.vonage.terms import VonageTerms, terms_of
from carrierbox.vonage.tokens import sign_webhook
from carrierbox.vonage.words import bare, event_fields, stamp

NAME = "vonage"
RETRIED = frozenset({429, 502, 503, 504})
ANSWER_PATIENCE = Patience(connect_s=1.0, total_s=5.0, retry_statuses=RETRIED)
EVENT_PATIENCE = Patience(connect_s=1.0, total_s=10.0, retry_statuses=RETRIED)
BUFFER_MS = 3072 * 20

_SOCKET_STATUSES = {
    StreamChange.STARTED: "answered",
    StreamChange.STOPPED: "completed",
    StreamChange.CLOSED_BY_APP: "disconnected",
    StreamChange.FAILED: "failed",
}


class Vonage:
    """Keeps `calls.carrier.Carrier`."""

    name = NAME
    buffer_ms = BUFFER_MS

    def __init__(self, accounts: Accounts, applications: Applications, clock: Clock) -> None:
        self._accounts = accounts
        self._applications = applications
        self._clock = clock
        self.region_url = ""

    def new_call_id(self) -> str:
        return str(uuid.uuid4())

    def new_stream_id(self) -> str:
        return str(uuid.uuid4())

    def child_terms(self, parent: Call) -> VonageTerms:
        """A dialed leg is in its parent's conversation, and announced where the parent is."""
        terms = terms_of(parent)
        return VonageTerms(terms.application_id, event=terms.event, conversation_uuid=terms.conversation_uuid)

    def inbound_terms(self, called: OwnedNumber) -> VonageTerms:
        """A number that forwards to a phone or SIP address does not reach its application."""
        forwards = called.settings.get("voiceCallbackType") in ("sip", "tel")
        application = self._applications.find(called.account_id, called.settings.get("app_id", ""))
        if application is None or forwards:
            return VonageTerms()
        return VonageTerms(
            application.id,
            application.webhook("answer_url", "GET"),
            application.webhook("fallback_answer_url", "GET"),
            application.webhook("event_url", "POST"),
        )

    def announce(self, call: Call, moment: Moment) -> list[Callback]:
        fields = event_fields(call, self._clock.now())
        events = [self._event(call, str(fields["status"]), fields)]
        if moment is Moment.RINGING and call.direction is Direction.INBOUND:
            events.insert(0, self._event(call, "started", fields | {"status": "started"}))
        if moment is Moment.ENDED and call.ending in (Ending.ANSWER_URL_FAILED, Ending.BAD_DOCUMENT):
            reason = f"{call.ending}: the answer address gave no NCCO that can be followed"
            conversation = terms_of(call).conversation_uuid
            error = {"reason": reason, "conversation_uuid": conversation, "timestamp": stamp(self._clock.now())}
            events.insert(0, self._event(call, "error", error))
        return [event for event in events if event is not None]

    def announce_verdict(self, call: Call) -> list[Callback]:
        """These events name the call `call_uuid`."""
        if call.verdict is None or call.detection is None:
            return []
        machine = call.verdict.being is Being.MACHINE
        fields = event_fields(call, self._clock.now()) | {"status": "machine" if machine else "human"}
        fields["call_uuid"] = fields.pop("uuid")
        if machine and call.detection.await_beep:
            fields["sub_state"] = "beep_start" if call.verdict.beep else "beep_timeout"
        event = self._event(call, str(fields["status"]), fields)
        return [event] if event else []

    def announce_stream(self, call: Call, stream: Stream, change: StreamChange, why: str) -> list[Callback]:
        """The socket is a leg of its own, with its own id."""
        options, status = stream.step.options, _SOCKET_STATUSES.get(change)
        if status is None or not isinstance(options, SocketOptions):
            return []
        fields: dict[str, object] = {
            "uuid": stream.id,
            "conversation_uuid": terms_of(call).conversation_uuid,
            "status": status,
            "direction": "outbound",
            "from": bare(call.caller),
            "to": stream.step.url,
            "timestamp": stamp(self._clock.now()),
        }
        if why and change is StreamChange.FAILED:
            fields["detail"] = why
        event = self._event(call, f"websocket-{status}", fields, options.event)
        return [event] if event else []

    def answer(self, call: Call) -> Source:
        terms = terms_of(call)
        if terms.steps is not None:
            return Source(steps=terms.steps)
        asked = [webhook for webhook in (terms.answer, terms.fallback) if webhook.address]
        return Source(requests=[self._question(call, webhook) for webhook in asked])

    def go_to(self, call: Call, url: str, method: str) -> Source:
        return Source(requests=[self._question(call, Webhook(url, method))])

    def read(self, call: Call, reply: Reply) -> Sequence[Step]:
        steps = parse_ncco(reply.body)
        refused = not steps and call.direction is Direction.INBOUND and call.answered_at is None
        return [Reject(busy=False)] if refused else steps

    def may_connect(self, step: Connect) -> str | None:  # noqa: ARG002 - What is wrong with it is refused when read.
        return None

    def socket_terms(self, call: Call, stream: Stream) -> SocketTerms:
        options = stream.step.options
        if not isinstance(options, SocketOptions) or not options.authorization:
            return SocketTerms()
        if options.authorization == "custom":
            return SocketTerms({"Authorization": options.value})
        return SocketTerms(self._authorization(call, b"", always=True))

    def wire(self, call: Call, stream: Stream) -> Wire:  # noqa: ARG002 - The socket's first message names no call.
        return VonageWire(stream.step.rate, stream.step.metadata)

    def _question(self, call: Call, webhook: Webhook) -> Callback:
        fields: dict[str, object] = {
            "to": bare(call.callee),
            "from": bare(call.caller),
            "uuid": call.id,
            "conversation_uuid": terms_of(call).conversation_uuid,
            "endpoint_type": "phone",
            "region_url": self.region_url,
        }
        return self._callback(call, "answer", webhook, fields, ANSWER_PATIENCE)

    def _event(
        self, call: Call, kind: str, fields: Mapping[str, object], own: Webhook | None = None
    ) -> Callback | None:
        webhook = own or terms_of(call).event
        return self._callback(call, kind, webhook, fields, EVENT_PATIENCE) if webhook.address else None

    def _callback(
        self, call: Call, kind: str, webhook: Webhook, fields: Mapping[str, object], patience: Patience
    ) -> Callback:
        url = webhook.address

        def prepare() -> Outgoing:
            payload = json.dumps(fields, separators=(",", ":")).encode()
            headers = self._authorization(call, payload) | {"User-Agent": "VonageCallback/1.0"}
            if webhook.method == "GET":
                query = urlencode({name: "" if value is None else str(value) for name, value in fields.items()})
                return Outgoing("GET", f"{url}{'&' if urlsplit(url).query else '?'}{query}", headers)
            return Outgoing("POST", url, headers | {"Content-Type": "application/json"}, payload)

        return Callback(call.id, NAME, kind, url, prepare, patience)

    def _authorization(self, call: Call, payload: bytes, always: bool = False) -> dict[str, str]:
        account, application = self._accounts.find(NAME, call.account_id), self._application(call)
        if account is None or not (always or application is None or application.signs_callbacks):
            return {}
        token = sign_webhook(account.signature_secret, account.id, terms_of(call).application_id, payload)
        return {"Authorization": f"Bearer {token}"}

    def _application(self, call: Call) -> Application | None:
        return self._applications.get(terms_of(call).application_id)

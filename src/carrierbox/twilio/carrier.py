"""Twilio's part in the life of a call: what it tells the application, asks it, and how it opens media sockets."""

import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urldefrag, urlencode, urlsplit

from carrierbox.accounts import Accounts
from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Moment, SocketTerms, Source, Stream, StreamChange, Wire
from carrierbox.calls.lifecycle import Direction
from carrierbox.calls.steps import Connect, Step
from carrierbox.clock import Clock
from carrierbox.delivery.callback import Callback, Outgoing, Patience, Reply
from carrierbox.numbers import OwnedNumber
from carrierbox.twilio.signature import sign, without_port
from carrierbox.twilio.stream import TwilioWire
from carrierbox.twilio.terms import TwilioTerms, terms_of
from carrierbox.twilio.twiml import StreamOptions, read_twiml
from carrierbox.twilio.words import answered_by, call_fields, rfc2822, sip_code_of

NAME = "twilio"
PATIENCE = Patience(connect_s=5.0, total_s=15.0)
BUFFER_MS = 10 * 60 * 1000
QUERY_REFUSED = "31920: Twilio does not connect to a stream address with a query string; use <Parameter>"

_STREAM_EVENTS = {
    StreamChange.STARTED: "stream-started",
    StreamChange.STOPPED: "stream-stopped",
    StreamChange.CLOSED_BY_APP: "stream-stopped",
    StreamChange.FAILED: "stream-error",
}


class Twilio:
    """Keeps `calls.carrier.Carrier`."""

    name = NAME
    buffer_ms = BUFFER_MS

    def __init__(self, accounts: Accounts, clock: Clock, *, signs_ports: bool) -> None:
        self._accounts = accounts
        self._clock = clock
        self._signs_ports = signs_ports

    def new_call_id(self) -> str:
        return f"CA{secrets.token_hex(16)}"

    def new_stream_id(self) -> str:
        return f"MZ{secrets.token_hex(16)}"

    def child_terms(self, parent: Call) -> TwilioTerms:  # noqa: ARG002 - A dialed leg tells nothing of its own.
        return TwilioTerms(direction="outbound-dial", status_events=frozenset())

    def announce(self, call: Call, moment: Moment) -> list[Callback]:
        terms = terms_of(call)
        event = {Moment.ENDED: "completed"}.get(moment, str(moment))
        if not terms.status_callback or event not in terms.status_events:
            return []
        fields = call_fields(call) | {
            "Timestamp": rfc2822(self._clock.now()) or "",
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(next(terms.sequence)),
        }
        if moment is Moment.ENDED:
            fields |= {"CallDuration": str(call.duration_s), "SipResponseCode": sip_code_of(call)}
            fields |= {"Duration": str(-(-call.duration_s // 60))}
            fields |= self._verdict(call)
        return [self._form(call, event, terms.status_callback, terms.status_method, fields)]

    def announce_verdict(self, call: Call) -> list[Callback]:
        terms, detection = terms_of(call), call.detection
        if detection is None or detection.hold or not terms.async_amd_callback:
            return []
        fields = {"CallSid": call.id, "AccountSid": call.account_id} | self._verdict(call)
        return [self._form(call, "machine-detection", terms.async_amd_callback, terms.async_amd_method, fields)]

    def announce_stream(self, call: Call, stream: Stream, change: StreamChange, why: str) -> list[Callback]:
        options = stream.step.options
        event = _STREAM_EVENTS.get(change)
        if event is None or not isinstance(options, StreamOptions) or not options.status_callback:
            return []
        fields = {
            "CallSid": call.id,
            "AccountSid": call.account_id,
            "StreamSid": stream.id,
            "StreamName": options.name or stream.id,
            "StreamEvent": event,
            "Timestamp": self._clock.now().isoformat(),
        }
        if event == "stream-error":
            fields["StreamError"] = why
        return [self._form(call, event, options.status_callback, options.status_method, fields)]

    def answer(self, call: Call) -> Source:
        terms = terms_of(call)
        if terms.url:
            asked = [(terms.url, terms.method), (terms.fallback_url, terms.fallback_method)]
            return Source(requests=[self._question(call, url, method) for url, method in asked if url])
        return Source(steps=read_twiml(terms.twiml.encode(), "")) if terms.twiml else Source()

    def go_to(self, call: Call, url: str, method: str) -> Source:
        return Source(requests=[self._question(call, url, method)])

    def read(self, call: Call, reply: Reply) -> Sequence[Step]:  # noqa: ARG002 - TwiML means the same in every call.
        return read_twiml(reply.body, reply.url)

    def may_connect(self, step: Connect) -> str | None:
        return QUERY_REFUSED if urlsplit(step.url).query else None

    def socket_terms(self, call: Call, stream: Stream) -> SocketTerms:
        return SocketTerms({"X-Twilio-Signature": self._sign(self._token(call), stream.step.url, {})})

    def wire(self, call: Call, stream: Stream) -> Wire:
        return TwilioWire(stream.id, call.id, call.account_id, stream.step.metadata)

    def _question(self, call: Call, url: str, method: str) -> Callback:
        fields = call_fields(call) | self._verdict(call)
        if call.direction is Direction.INBOUND:
            fields |= {"FromCountry": "US", "ToCountry": "US", "StirVerstat": "TN-Validation-Passed-A"}
        return self._form(call, "answer", url, method, fields)

    def _verdict(self, call: Call) -> dict[str, str]:
        if call.verdict is None or call.detection is None:
            return {}
        return {
            "AnsweredBy": answered_by(call.verdict, call.detection.await_beep),
            "MachineDetectionDuration": str(call.verdict.took_ms),
        }

    def _form(self, call: Call, kind: str, url: str, method: str, fields: Mapping[str, str]) -> Callback:
        url = urldefrag(url).url
        token, idempotency = self._token(call), secrets.token_hex(16)

        def prepare() -> Outgoing:
            if method == "GET":
                address = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(fields)}"
                signed, body = self._sign(token, address, {}), None
            else:
                address, body = url, urlencode(fields).encode()
                signed = self._sign(token, url, fields)
            headers = {
                "X-Twilio-Signature": signed,
                "I-Twilio-Idempotency-Token": idempotency,
                "User-Agent": "TwilioProxy/1.1",
                "Accept": "*/*",
            }
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
            return Outgoing(method, address, headers, body)

        return Callback(call.id, NAME, kind, url, prepare, PATIENCE)

    def _sign(self, token: str, url: str, fields: Mapping[str, str]) -> str:
        address = url if self._signs_ports else without_port(url)
        return sign(token, address, {name: [value] for name, value in fields.items()})

    def _token(self, call: Call) -> str:
        account = self._accounts.find(NAME, call.account_id)
        return account.signature_secret if account else ""

    def inbound_terms(self, called: OwnedNumber) -> TwilioTerms:
        """An application or trunk on a number comes before the number's own address."""
        settings = called.settings
        taken = settings.get("voice_application_sid") or settings.get("trunk_sid")
        return TwilioTerms(
            url="" if taken else settings.get("voice_url", ""),
            method=settings.get("voice_method", "POST"),
            fallback_url=settings.get("voice_fallback_url", ""),
            fallback_method=settings.get("voice_fallback_method", "POST"),
            status_callback=settings.get("status_callback", ""),
            status_method=settings.get("status_callback_method", "POST"),
            number_sid=called.sid,
            direction="inbound",
        )

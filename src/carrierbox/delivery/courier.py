"""Sends callbacks to the application: in order for each call, with the carrier's patience and the faults ordered."""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import replace

import aiohttp
from yarl import URL

from carrierbox.calls.call import Call
from carrierbox.clock import Clock, sleep
from carrierbox.delivery.callback import Callback, Outgoing, Reply
from carrierbox.delivery.faults import Act, Fault, FaultBook, Target

log = logging.getLogger(__name__)

LARGEST_REPLY = 100 * 1024
MOST_WAITING = 200


class NoReply(Exception):
    """The application did not answer, or answered what no carrier accepts."""


class Courier:
    """One queue a call, so that one slow application holds up nobody else."""

    def __init__(self, http: aiohttp.ClientSession, clock: Clock, faults: FaultBook) -> None:
        self._http = http
        self._clock = clock
        self._faults = faults
        self._waiting: dict[str, deque[Callback]] = defaultdict(deque)
        self._moved: set[int] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._late: set[asyncio.Task[None]] = set()

    def send(self, call: Call, callbacks: Iterable[Callback]) -> None:
        """Deliver in the background. More than an application can ever catch up with is dropped, and noted."""
        for callback in callbacks:
            if len(self._waiting[call.id]) >= MOST_WAITING:
                self._note(call, callback, "dropped: too many are waiting", 0)
                continue
            self._waiting[call.id].append(callback)
            if call.id not in self._running:
                self._running[call.id] = asyncio.create_task(self._work_off(call))

    async def ask(self, call: Call, callback: Callback) -> Reply:
        """Deliver now and bring back the answer; raise `NoReply` if there is none worth having."""
        fault = self._faults.take(Target.ANSWER, call.carrier, call.id, callback.kind)
        if fault and fault.act is Act.DROP:
            self._note(call, callback, "dropped by a fault", 0)
            raise NoReply("dropped by a fault")
        if fault and fault.act is Act.DELAY:
            await sleep(self._clock, fault.ms / 1000)
        if fault and fault.act in SPOILS:
            await self._attempt(call, callback, SPOILS[fault.act])
        if fault and fault.act is Act.DUPLICATE:
            await self._attempt(call, callback)
        return await self._attempt(call, callback)

    async def settle(self, timeout_s: float) -> None:
        """Wait for what is on its way, but not for ever."""
        tasks = [*self._running.values(), *self._late]
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=timeout_s)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def _work_off(self, call: Call) -> None:
        waiting = self._waiting[call.id]
        try:
            while waiting:
                callback = waiting.popleft()
                if id(callback) in self._moved:
                    # It has changed places already; to do so for ever would deliver nothing.
                    self._moved.discard(id(callback))
                    await self._try(call, callback)
                    continue
                fault = self._faults.take(Target.CALLBACK, call.carrier, call.id, callback.kind)
                await self._deliver(call, callback, fault, waiting)
        finally:
            self._running.pop(call.id, None)
            self._waiting.pop(call.id, None)

    async def _deliver(self, call: Call, callback: Callback, fault: Fault | None, waiting: deque[Callback]) -> None:
        act = fault.act if fault else None
        if fault is None:
            await self._try(call, callback)
        elif act is Act.DROP:
            self._note(call, callback, "dropped by a fault", 0)
        elif act is Act.DELAY or (act is Act.REORDER and not waiting):
            self._later(call, callback, fault.ms)
        elif act is Act.REORDER:
            self._moved.add(id(callback))
            waiting.insert(1, callback)
        elif act in SPOILS:
            await self._try(call, callback, SPOILS[act])
            await self._try(call, callback)
        elif act is Act.REPLAY:
            sent = callback.prepare()
            again = replace(callback, prepare=lambda: sent)
            await self._try(call, again)
            self._later(call, again, fault.ms)
        else:
            await self._try(call, callback)
            await self._try(call, callback)

    def _later(self, call: Call, callback: Callback, ms: int) -> None:
        """What is late holds up nothing: those that follow go first."""
        task = asyncio.create_task(self._try_later(call, callback, ms))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _try_later(self, call: Call, callback: Callback, ms: int) -> None:
        await sleep(self._clock, ms / 1000)
        await self._try(call, callback)

    async def _try(self, call: Call, callback: Callback, spoil: "Spoil | None" = None) -> None:
        try:
            await self._attempt(call, callback, spoil)
        except NoReply:
            log.info("callback failed", extra={"call_id": call.id, "kind": callback.kind})

    async def _attempt(self, call: Call, callback: Callback, spoil: "Spoil | None" = None) -> Reply:
        failure = ""
        for _ in range(1 + callback.patience.retries):
            began = self._clock.seconds()
            try:
                out = callback.prepare()
                reply = await self._request(spoil(out) if spoil else out, callback)
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                failure = f"no answer ({type(error).__name__})"
                self._note(call, callback, failure, self._clock.seconds() - began)
                continue
            self._note(call, callback, str(reply.status), self._clock.seconds() - began)
            if 200 <= reply.status < 300 or spoil:
                return reply
            failure = f"status {reply.status}"
            if reply.status not in callback.patience.retry_statuses:
                break
        raise NoReply(failure)

    async def _request(self, out: Outgoing, callback: Callback) -> Reply:
        timeout = aiohttp.ClientTimeout(total=callback.patience.total_s, sock_connect=callback.patience.connect_s)
        async with self._http.request(
            out.method,
            URL(out.url, encoded=True),
            data=out.body,
            headers=out.headers,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            body = await response.content.read(LARGEST_REPLY + 1)
            while len(body) <= LARGEST_REPLY and not response.content.at_eof():
                body += await response.content.read(LARGEST_REPLY + 1 - len(body))
            if len(body) > LARGEST_REPLY:
                raise ValueError("the reply is too large")
            return Reply(str(response.url), response.status, response.content_type, body)

    def _note(self, call: Call, callback: Callback, outcome: str, took_s: float) -> None:
        call.note(
            self._clock.now(),
            self._clock.seconds(),
            "callback",
            kind=callback.kind,
            url=callback.url,
            outcome=outcome,
            took_ms=round(took_s * 1000),
        )


SIGNATURES = ("X-Twilio-Signature", "X-Plivo-Signature-V3", "X-Plivo-Signature-Ma-V3", "Authorization")


def _forged(out: Outgoing) -> Outgoing:
    """The same request as someone without the secret would send it."""
    headers = {name: _spoiled(value) if name in SIGNATURES else value for name, value in out.headers.items()}
    return Outgoing(out.method, out.url, headers, out.body)


def _unsigned(out: Outgoing) -> Outgoing:
    headers = {name: value for name, value in out.headers.items() if name not in SIGNATURES}
    return Outgoing(out.method, out.url, headers, out.body)


def _spoiled(signature: str) -> str:
    """One letter in the middle of the signature is another one."""
    middle = len(signature) - 8
    other = "A" if signature[middle] != "A" else "B"
    return signature[:middle] + other + signature[middle + 1 :]


Spoil = Callable[[Outgoing], Outgoing]
SPOILS: dict[Act | None, Spoil] = {Act.FORGE: _forged, Act.UNSIGNED: _unsigned}

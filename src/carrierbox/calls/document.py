"""Follows an application's document step by step: speaks, waits, dials, and connects the line to media sockets."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Protocol

import aiohttp
from yarl import URL

from carrierbox.calls.call import Call
from carrierbox.calls.carrier import Carrier, Source, Stream, StreamChange
from carrierbox.calls.conversation import Bridge, Conversation
from carrierbox.calls.ledger import BoxIsFull
from carrierbox.calls.lifecycle import EndedBy, Ending
from carrierbox.calls.media_session import ClosedBy, MediaSession
from carrierbox.calls.steps import (
    BadDocument,
    Connect,
    Dial,
    GoTo,
    HangUp,
    Pause,
    PlayUrl,
    PressKeys,
    Reject,
    Speak,
    Step,
    Unknown,
)
from carrierbox.calls.tools import Tools
from carrierbox.clock import sleep
from carrierbox.delivery.courier import NoReply
from carrierbox.delivery.faults import Target
from carrierbox.line.recording import BadWav, read_wav
from carrierbox.line.tones import keys
from carrierbox.speech.voices import SpeechFailed

MOST_DOCUMENTS = 50
HANDSHAKE_S = 5.0
RETRY_S = 1.0
LARGEST_SOUND = 8 * 1024 * 1024
FETCH = aiohttp.ClientTimeout(total=15, sock_connect=5)


class OnThePhone(Protocol):
    """The call that a document is followed for."""

    call: Call
    carrier: Carrier
    tools: Tools
    sessions: list[MediaSession]
    # Set once the call is over.
    gone: asyncio.Event

    @property
    def conversation(self) -> Conversation: ...

    def run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Beside the document, as long as the call lasts."""
        ...

    def dial(self, step: Dial, when_answered: Callable[["OnThePhone"], Awaitable[None]]) -> "OnThePhone": ...

    def note(self, event: str, **detail: object) -> None: ...

    def end(self, ending: Ending, by: EndedBy) -> None: ...

    def hang_up(self, by: EndedBy) -> None: ...


class DocumentRun:
    """One document and those it leads to."""

    def __init__(self, phone: OnThePhone) -> None:
        self._phone = phone
        self._tools = phone.tools
        self._fetched = 0
        self._left = False

    def leave(self) -> None:
        """Take no further step: the call goes on with another document."""
        self._left = True

    async def fetch(self, source: Source) -> Sequence[Step] | None:
        """Get the document from the first address that has one. If none has, the call ends and there are no steps."""
        if source.steps is not None:
            return source.steps
        self._fetched += 1
        ending = Ending.ANSWER_URL_FAILED
        if self._fetched > MOST_DOCUMENTS:
            self._phone.note("document failed", why=f"more than {MOST_DOCUMENTS} redirects")
            source = Source()
        for request in source.requests:
            try:
                reply = await self._tools.courier.ask(self._phone.call, request)
                return self._phone.carrier.read(self._phone.call, reply)
            except NoReply as error:
                ending = Ending.ANSWER_URL_FAILED
                self._phone.note("document failed", url=request.url, why=str(error))
            except BadDocument as error:
                ending = Ending.BAD_DOCUMENT
                self._phone.note("document refused", url=request.url, why=str(error))
        self._phone.end(ending, EndedBy.CARRIER)
        return None

    def rejects(self, steps: Sequence[Step]) -> bool | None:
        """Whether the document turns an inbound call down before anything else, and if so, as busy."""
        first = next((step for step in steps if not isinstance(step, Unknown)), None)
        return first.busy if isinstance(first, Reject) else None

    async def follow(self, steps: Sequence[Step]) -> None:
        """Do it all; the call ends with the document."""
        remaining: Sequence[Step] | None = steps
        while remaining and not self._left:
            step, remaining = remaining[0], remaining[1:]
            if isinstance(step, GoTo):
                remaining = await self.fetch(self._phone.carrier.go_to(self._phone.call, step.url, step.method))
                if remaining is None:
                    return
            elif isinstance(step, HangUp | Reject):
                self._phone.hang_up(EndedBy.API)
                return
            else:
                await self._do(step)
        if not self._left:
            self._phone.end(Ending.DOCUMENT_OVER, EndedBy.CARRIER)

    async def _do(self, step: Step) -> None:
        conversation = self._phone.conversation
        match step:
            case Speak(text=text, voice=voice):
                try:
                    await conversation.play(await self._tools.voices.say(text, voice))
                except SpeechFailed as error:
                    self._phone.note("step skipped", step="speak", why=str(error))
            case PlayUrl(url=url):
                await conversation.play(await self._sound_at(url))
            case PressKeys(digits=digits):
                await conversation.play(keys(digits))
            case Pause(seconds=seconds):
                await sleep(self._tools.clock, seconds)
            case Dial():
                await self._dial(step)
            case Connect(background=True):
                self._phone.run(self._connect(step))
            case Connect():
                await self._connect(step)
            case Unknown(name=name):
                self._phone.note("step skipped", step=name, why="carrierbox does not act it out")

    async def _sound_at(self, url: str) -> bytes:
        try:
            async with self._tools.http.get(url, timeout=FETCH) as response:
                response.raise_for_status()
                data = bytearray()
                async for piece in response.content.iter_any():
                    data += piece
                    if len(data) > LARGEST_SOUND:
                        raise BadWav(f"The sound is larger than {LARGEST_SOUND} bytes.")
            return read_wav(bytes(data))
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, BadWav) as error:
            self._phone.note("step skipped", step="play", why=str(error) or type(error).__name__)
            return b""

    async def _dial(self, step: Dial) -> None:
        """Ring another phone, connect both, and stay until one of them is gone."""
        parent = self._phone

        async def bridge(child: OnThePhone) -> None:
            here, there = Bridge(parent.conversation), Bridge(child.conversation)
            child.conversation.attach(here)
            parent.conversation.attach(there)
            try:
                await child.gone.wait()
            finally:
                parent.conversation.detach(there)

        try:
            child = parent.dial(step, bridge)
        except BoxIsFull as error:
            parent.note("step skipped", step="dial", why=str(error))
            return
        try:
            await child.gone.wait()
        finally:
            child.hang_up(EndedBy.CARRIER)

    async def _connect(self, step: Connect) -> None:
        carrier, call = self._phone.carrier, self._phone.call
        stream = Stream(carrier.new_stream_id(), step, call.id)
        ws = await self._open(stream)
        if ws is None:
            return
        session = MediaSession(
            carrier.wire(call, stream),
            self._phone.conversation,
            self._tools.clock,
            lambda: self._tools.faults.take(Target.MEDIA, call.carrier, call.id, "media"),
            lambda why: self._tell(stream, StreamChange.DEGRADED, why),
        )
        self._tell(stream, StreamChange.STARTED, "")
        self._phone.sessions.append(session)
        self._phone.conversation.attach(session)
        closed_by, why = ClosedBy.CARRIER, "the call ended"
        try:
            closed_by, why = await session.run(ws)
        finally:
            self._phone.sessions.remove(session)
            self._phone.conversation.detach(session)
            self._phone.note("stream totals", **session.totals())
            left = closed_by is ClosedBy.APPLICATION
            self._tell(stream, StreamChange.CLOSED_BY_APP if left else StreamChange.STOPPED, why)
        if left and step.stays and not call.is_over:
            await asyncio.Event().wait()

    async def _open(self, stream: Stream) -> aiohttp.ClientWebSocketResponse | None:
        carrier, call = self._phone.carrier, self._phone.call
        refusal = carrier.may_connect(stream.step)
        terms = carrier.socket_terms(call, stream)
        for attempt in range(0 if refusal else terms.attempts):
            if attempt:
                await sleep(self._tools.clock, RETRY_S)
            try:
                async with asyncio.timeout(HANDSHAKE_S):
                    return await self._tools.http.ws_connect(
                        URL(stream.step.url, encoded=True),
                        headers=terms.headers,
                        max_msg_size=terms.largest_message,
                        compress=0,
                    )
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                status = f"answered {error.status}" if isinstance(error, aiohttp.WSServerHandshakeError) else ""
                refusal = f"the socket could not be opened: {status or type(error).__name__}"
        self._tell(stream, StreamChange.FAILED, refusal or "")
        return None

    def _tell(self, stream: Stream, change: StreamChange, why: str) -> None:
        self._phone.note(f"stream {change}", stream_id=stream.id, url=stream.step.url, why=why)
        callbacks = self._phone.carrier.announce_stream(self._phone.call, stream, change, why)
        self._tools.courier.send(self._phone.call, callbacks)

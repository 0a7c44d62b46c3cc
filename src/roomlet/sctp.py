"""Data channels over one peer's DTLS. The only module that knows aiortc, whose SCTP it feeds.

aiortc's `RTCSctpTransport` is public, but its way of talking to the layer below is not documented: it reads `state`
and `_role`, registers itself as a receiver, calls `_send_data`, and takes packets through `_handle_data`. Its receive
window, `_advertised_rwnd`, shrinks by what waits to be put together. Those six names are all that is used.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any, Protocol, cast

from aiortc import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

log = logging.getLogger(__name__)
PORT = 5000
MAX_MESSAGE_BYTES = 65536
INBOUND_BACKLOG = 1024
"""SCTP packets waiting to be read. What does not fit is lost as on any network, and SCTP repairs it."""


OVERDRAFT_BYTES = 65536
"""What may have been under way when the window closed."""
MOST_CHANNELS = 32
"""That a peer may open, closed ones included; LiveKit's clients open three."""
LONGEST_LABEL = 256


class Lower(Protocol):
    """The DTLS association beneath."""

    @property
    def is_connected(self) -> bool: ...
    def send_data(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class Channel:
    """One data channel: a label, a state and a bounded way out."""

    def __init__(self, inner: Any, backlog_bytes: int) -> None:
        self._inner = inner
        self._backlog_bytes = backlog_bytes
        self.label: str = inner.label

    @property
    def is_open(self) -> bool:
        return bool(self._inner.readyState == "open")

    def send(self, message: bytes) -> bool:
        """False if the reader is so far behind that the message was dropped."""
        if not self.is_open or self._inner.bufferedAmount > self._backlog_bytes:
            return False
        self._inner.send(message)
        return True

    def on_message(self, call: Callable[[bytes | str], None]) -> None:
        self._inner.on("message", call)

    def on_open(self, call: Callable[[], None]) -> None:
        self._inner.on("open", call)


class _DtlsForAiortc:
    def __init__(self, lower: Lower) -> None:
        self._lower = lower
        self._role = "server"
        self.receiver: Any = None

    @property
    def state(self) -> str:
        return "connected" if self._lower.is_connected else "closed"

    def _register_data_receiver(self, receiver: Any) -> None:
        self.receiver = receiver

    def _unregister_data_receiver(self, receiver: Any) -> None:
        self.receiver = None

    async def _send_data(self, data: bytes) -> None:
        # aiortc also sends from tasks that nobody awaits, where an error would be heard by nobody. What cannot be sent
        # is lost, as on any network, until the transport is stopped.
        if self._lower.is_connected:
            self._lower.send_data(data)


class Sctp:
    def __init__(self, lower: Lower, backlog_bytes: int, on_channel: Callable[[Channel], None]) -> None:
        self._lower = lower
        self._dtls = _DtlsForAiortc(lower)
        self._backlog_bytes = backlog_bytes
        self._on_channel = on_channel
        self._transport = RTCSctpTransport(cast(Any, self._dtls))
        self._channels = 0
        self._is_too_much = False
        self._transport.on("datachannel", self._open)
        self._inbound: asyncio.Queue[bytes] = asyncio.Queue(INBOUND_BACKLOG)
        self._reading: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def start(self, remote_port: int) -> None:
        self._reading = asyncio.get_running_loop().create_task(self._read())
        await self._transport.start(RTCSctpCapabilities(maxMessageSize=MAX_MESSAGE_BYTES), remote_port)

    def open_channel(self, label: str, **options: Any) -> Channel:
        parameters = RTCDataChannelParameters(label=label, **options)
        return Channel(RTCDataChannel(self._transport, parameters), self._backlog_bytes)

    def _open(self, inner: Any) -> None:
        self._channels += 1
        if self._channels > MOST_CHANNELS or len(inner.label) + len(inner.protocol) > LONGEST_LABEL:
            self._is_too_much = True
        else:
            self._on_channel(Channel(inner, self._backlog_bytes))

    def receive(self, packet: bytes) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._inbound.put_nowait(packet)

    def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._stopping = asyncio.get_running_loop().create_task(self._stop())

    async def _stop(self) -> None:
        await self._transport.stop()

    async def _read(self) -> None:
        while True:
            packet = await self._inbound.get()
            if self._dtls.receiver is None:
                return
            try:
                await self._dtls.receiver._handle_data(packet)
            except Exception:
                log.exception("an SCTP packet could not be read")
            # Pieces of messages are kept until the rest has come. The window tells the peer how much may wait; aiortc
            # announces it without holding anybody to it.
            if self._transport._advertised_rwnd < -OVERDRAFT_BYTES:
                log.warning("a peer sent more than its window allows")
                self._lower.close()
                return
            if self._is_too_much:
                log.warning("a peer opened too many data channels, or one with too long a name")
                self._lower.close()
                return

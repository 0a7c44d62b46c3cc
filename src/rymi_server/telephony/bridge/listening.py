"""The gateway's own server of media sockets."""

import contextlib
import socket
from collections.abc import AsyncIterator

from websockets.asyncio.server import Server, ServerConnection, serve

from rymi_server.telephony.bridge.gateway import Gateway
from rymi_server.telephony.bridge.media_socket import LARGEST_MESSAGE

# What waits in the kernel cannot be taken back when the agent is interrupted: about half a second of audio.
_KERNEL_BYTES = 8_192
_UNREAD_MESSAGES = 64
_HANDSHAKE_S = 10.0
_FAREWELL_S = 2.0
# A connection that is gone without a word is found out by this, where the carrier has stopped sending as well.
_PING_S = 20.0


@contextlib.asynccontextmanager
async def listening(gateway: Gateway, at: socket.socket) -> AsyncIterator[Server]:
    """Take media sockets meanwhile. Whoever is still in on the way out is put out.

    A gateway that is to be drained is drained in here, after `close(close_connections=False)` has shut the port.
    """

    async def take(connection: ServerConnection) -> None:
        held = connection.transport.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KERNEL_BYTES)
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await gateway.serve(connection)

    server = await serve(
        take,
        sock=at,
        process_request=gateway.refuse_early,
        compression=None,
        open_timeout=_HANDSHAKE_S,
        close_timeout=_FAREWELL_S,
        ping_interval=_PING_S,
        ping_timeout=_PING_S,
        max_size=LARGEST_MESSAGE,
        max_queue=_UNREAD_MESSAGES,
        write_limit=_KERNEL_BYTES,
        server_header=None,
    )
    try:
        yield server
    finally:
        server.close()
        await server.wait_closed()

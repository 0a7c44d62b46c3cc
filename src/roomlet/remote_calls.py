"""PerformRpc: the API calls a method in a participant's own code, over that participant's data channel."""

import asyncio
import secrets

from livekit.protocol import models
from livekit.protocol import room as protocol

from roomlet.errors import CallFailed, InvalidArgument, NotFound, NotOffered, Refused, TimedOut
from roomlet.participant import Participant
from roomlet.room import Room

ACK_SECONDS = 7.0
DEFAULT_RESPONSE_MS = 15_000
LONGEST_RESPONSE_MS = 120_000
UNSUPPORTED_METHOD, RECIPIENT_NOT_FOUND, RESPONSE_TIMEOUT = 1400, 1401, 1502


class WaitingCall:
    """Answered, acknowledged in time and then answered, or refused."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[models.RpcResponse] = loop.create_future()
        self._unacknowledged = loop.call_later(ACK_SECONDS, self._refuse, TimedOut("the participant did not answer"))

    def on_ack(self) -> None:
        self._unacknowledged.cancel()

    def on_response(self, response: models.RpcResponse) -> None:
        self.on_ack()
        if not self.answer.done():
            self.answer.set_result(response)

    def abandon(self) -> None:
        self._refuse(NotFound("the participant is gone"))

    def _refuse(self, refusal: Refused) -> None:
        self._unacknowledged.cancel()
        if not self.answer.done():
            self.answer.set_exception(refusal)


async def perform(room: Room, participant: Participant, request: protocol.PerformRpcRequest) -> str:
    """The method's answer. Raises the refusal that its error amounts to."""
    if len(request.payload.encode()) > participant.limits.rpc_payload_bytes:
        raise InvalidArgument("the payload is too large")
    patience_ms = min(request.response_timeout_ms or DEFAULT_RESPONSE_MS, LONGEST_RESPONSE_MS)
    call_id = secrets.token_hex(16)
    packet = models.DataPacket(
        kind=models.DataPacket.RELIABLE,
        # The caller is no participant; its answer is recognised by the id of the call.
        participant_identity=call_id,
        destination_identities=[participant.identity],
        rpc_request=models.RpcRequest(
            id=call_id, method=request.method, payload=request.payload, response_timeout_ms=patience_ms, version=1
        ),
    )
    waiting = room.waiting_calls[call_id] = WaitingCall()
    room.send_data(packet)
    try:
        async with asyncio.timeout(patience_ms / 1000):
            response = await waiting.answer
    except TimeoutError:
        raise TimedOut("the participant did not answer in time", {"rpc_code": str(RESPONSE_TIMEOUT)}) from None
    finally:
        waiting.on_ack()
        room.waiting_calls.pop(call_id, None)
    if response.HasField("error"):
        raise _refusal(response.error)
    return response.payload


def _refusal(error: models.RpcError) -> Refused:
    meta = {"rpc_code": str(error.code), "rpc_data": error.data}
    if error.code == UNSUPPORTED_METHOD:
        return NotOffered(error.message, meta)
    if error.code == RECIPIENT_NOT_FOUND:
        return NotFound(error.message, meta)
    return CallFailed(error.message, meta)

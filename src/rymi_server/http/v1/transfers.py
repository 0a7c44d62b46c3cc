"""`/v1/calls/{call_id}/transfer`: put a human on the line."""

from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from rymi_server.call_control.errors import NoCallerId, NoPhoneToTransfer, NotOurNumber
from rymi_server.call_control.transfer import AgentAfter, Mode, Transfer, WantedTransfer
from rymi_server.call_views.shapes import participant
from rymi_server.calls.errors import CallIsOver, UnknownCall
from rymi_server.calls.models import ParticipantStatus
from rymi_server.credits.errors import InsufficientCredits
from rymi_server.dnc.errors import NumberOnDoNotCallList
from rymi_server.foundation.database import Transaction
from rymi_server.http.documentation import ONCE, WITH_BODY, WITH_SECRET_KEY, refusals, success
from rymi_server.http.edge import AskingDep
from rymi_server.http.idempotency import Answer, once
from rymi_server.http.routes import SecretKeyRoute
from rymi_server.http.v1.call_bodies import InvitedParticipant
from rymi_server.http.v1.fields import Phone, RequestBody, ResponseBody, Uuid
from rymi_server.tenants.errors import TenantPaused

routes = APIRouter(prefix="/v1/calls", tags=["Calls"], route_class=SecretKeyRoute)

_EXAMPLE: dict[str, Any] = {
    "id": "0199a5c0-7c1e-7a10-9d3e-3f1b6a0c2d4e",
    "status": "transferring",
    "mode": "warm",
    "to": "+15551234567",
    "participant": {
        "id": "0199a5c0-7c1e-7a10-9d3e-3f1b6a0c2d50",
        "identity": "+15551234567",
        "transport": "pstn",
        "status": "queued",
        "telephony_leg_id": "leg_0199a5c07c1e7a109d3e3f1b6a0c2d51",
    },
}


class TransferBody(RequestBody):
    to: Phone = Field(description="The human's number.")
    mode: Literal["warm", "cold"] = Field(
        default="warm",
        description="`warm` dials the human into the call, where the agent briefs them and steps back. `cold` hands "
        "the caller's phone over to them; the call ends for us.",
    )
    agent: Literal["stay", "leave"] = Field(
        default="stay",
        description="What the agent does once the human is briefed. `stay`: it listens, records and writes down, and "
        "comes back when the human leaves first. `leave`: it leaves the call to the people in it, of whom nothing is "
        "recorded or written down from then on; when the human leaves first, another agent is sent. Warm only.",
    )
    briefing: str = Field(
        default="", max_length=2_000, description="What the agent says to the human, whom alone it reaches. Warm only."
    )
    from_number: Phone | None = Field(default=None, description="Caller ID. The account's default otherwise.")
    participant_id: Uuid | None = Field(
        default=None, description="Which phone is handed over, where several are in the call. Cold only."
    )


class TransferredParticipant(InvitedParticipant):
    status: ParticipantStatus  # type: ignore[assignment] # Whoever is handed over is in the call already.


class TransferringBody(ResponseBody):
    id: str
    status: str = Field(description="Always `transferring`; the call's events say what became of it.")
    mode: Mode
    to: str
    participant: TransferredParticipant = Field(
        description="The human who is dialed (warm), or the caller who is handed over (cold)."
    )


@routes.post(
    "/{call_id}/transfer",
    operation_id="transferCall",
    summary="Transfer a call to a human",
    status_code=202,
    responses={
        **success(202, TransferringBody, "The human is being called.", _EXAMPLE),
        **refusals(
            *WITH_SECRET_KEY,
            *WITH_BODY,
            *ONCE,
            *(TenantPaused, NumberOnDoNotCallList, InsufficientCredits, NoCallerId, NotOurNumber),
            *(UnknownCall, CallIsOver, NoPhoneToTransfer),
        ),
    },
)
async def transfer_call(asking: AskingDep, call_id: str, body: TransferBody) -> JSONResponse:
    wanted = WantedTransfer(
        body.to, Mode(body.mode), body.briefing, body.from_number, body.participant_id, AgentAfter(body.agent)
    )

    async def transfer(tx: Transaction) -> Answer:
        return Answer(202, _begun(await asking.edge.transfers.start(tx, asking.caller, call_id, wanted), wanted))

    return await once(asking, transfer)


def _begun(transfer: Transfer, wanted: WantedTransfer) -> dict[str, Any]:
    shown = (
        [participant(seated.participant, seated.leg, None) for seated in transfer.created.seated]
        if transfer.created
        else []
    )
    if transfer.leaving:
        shown.append(participant(transfer.leaving, None, None))
    return {
        "id": transfer.call.id,
        "status": "transferring",
        "mode": transfer.mode,
        "to": wanted.to,
        "participant": shown[0],
    }

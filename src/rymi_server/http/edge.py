"""What the edge of a request works with: everything that was built for it, and who is asking."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from rymi_server.call_control.add_participants import ParticipantAdder
from rymi_server.call_control.answer_inbound import InboundAnswerer
from rymi_server.call_control.batch import BatchCreator
from rymi_server.call_control.create import CallCreator
from rymi_server.call_control.transfer import Transfers
from rymi_server.call_control.wanted import Caller
from rymi_server.call_views.live_stream import LiveCalls
from rymi_server.credits.rates import Rates
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database
from rymi_server.foundation.object_storage import ObjectStorage
from rymi_server.foundation.sealed import Seal
from rymi_server.quotas.plans import Plans
from rymi_server.recordings.shown import Signing
from rymi_server.rooms.agent_pass import AgentPasses
from rymi_server.rooms.livekit_server import LiveKit
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.answering import AnswerDocuments
from rymi_server.telephony.connecting import CarrierConnector
from rymi_server.telephony.connections import Connections


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """How much of anything a single asker may send."""

    body_bytes: int
    failed_logins_per_minute: int
    publishable_calls_per_minute: int
    landing_demo_calls_per_minute: int
    connect_attempts: int


@dataclass(frozen=True, slots=True)
class Edge:
    database: Database
    clock: Clock
    pepper: bytes
    seal: Seal
    rates: Rates
    plans: Plans
    livekit: LiveKit
    agent_passes: AgentPasses
    live_calls: LiveCalls
    call_creator: CallCreator
    participant_adder: ParticipantAdder
    transfers: Transfers
    batch_creator: BatchCreator
    inbound_answerer: InboundAnswerer
    answer_documents: AnswerDocuments
    connections: Connections
    carrier_connector: CarrierConnector
    carrier_addresses: CarrierAddresses
    limits: EdgeLimits
    storage: ObjectStorage
    recording_links_live: timedelta
    migration_url: str
    allow_private_webhooks: bool

    @property
    def signing(self) -> Signing:
        """Makes the links to recordings."""
        return Signing(self.storage, self.recording_links_live)

    # Set once the process has been told to stop.
    draining: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Asking:
    """One authenticated request."""

    edge: Edge
    caller: Caller
    request: Request


async def _asking(request: Request) -> Asking:
    asking: Asking = request.state.asking
    return asking


AskingDep = Annotated[Asking, Depends(_asking)]

"""Builds what the processes work with out of the settings. Nothing else in the server constructs these."""

from datetime import timedelta

from rymi_server.call_control.add_participants import ParticipantAdder
from rymi_server.call_control.admission import Admission
from rymi_server.call_control.answer_inbound import InboundAnswerer
from rymi_server.call_control.batch import BatchCreator
from rymi_server.call_control.create import CallCreator
from rymi_server.call_control.transfer import Transfers
from rymi_server.call_views.live_feed import LiveFeed
from rymi_server.call_views.live_stream import LiveCalls
from rymi_server.entrypoints.carriers import connections_of
from rymi_server.entrypoints.settings import Settings
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database
from rymi_server.foundation.sealed import Seal, pepper_from_text
from rymi_server.http.edge import Edge, EdgeLimits
from rymi_server.rooms.agent_pass import AgentPasses
from rymi_server.telephony.answering import AnswerDocuments
from rymi_server.telephony.connecting import CarrierConnector
from rymi_server.telephony.media_tokens import MediaTokens


def build_edge(settings: Settings, database: Database, clock: Clock) -> Edge:
    rates, plans = settings.price_list(), settings.plan_list()
    admission = build_admission(settings)
    creator = CallCreator(admission, clock)
    connections, addresses = connections_of(settings, clock), settings.carrier_addresses()
    return Edge(
        database=database,
        clock=clock,
        pepper=pepper_from_text(settings.required_secret()),
        seal=Seal.from_text(settings.required_secret()),
        rates=rates,
        plans=plans,
        livekit=settings.livekit(),
        live_calls=LiveCalls(database, LiveFeed(database.url, settings.live_streams), clock),
        agent_passes=AgentPasses.from_text(settings.required_secret()),
        call_creator=creator,
        participant_adder=ParticipantAdder(admission, clock),
        transfers=build_transfers(admission, clock),
        batch_creator=BatchCreator(admission, creator),
        inbound_answerer=InboundAnswerer(admission, clock),
        answer_documents=AnswerDocuments(addresses, MediaTokens.under(settings.required_secret())),
        connections=connections,
        carrier_connector=CarrierConnector(database, connections, addresses, clock),
        carrier_addresses=addresses,
        limits=EdgeLimits(
            body_bytes=settings.max_body_bytes,
            failed_logins_per_minute=settings.failed_logins_per_minute,
            publishable_calls_per_minute=settings.publishable_calls_per_minute,
            landing_demo_calls_per_minute=settings.landing_demo_calls_per_minute,
            connect_attempts=settings.connect_attempts,
        ),
        storage=settings.storage(clock),
        recording_links_live=timedelta(seconds=settings.recording_link_seconds),
        migration_url=settings.migration_url,
        allow_private_webhooks=settings.allow_private_webhooks,
    )


def build_admission(settings: Settings) -> Admission:
    rates, plans = settings.price_list(), settings.plan_list()
    return Admission(rates, plans, settings.engine_readiness(), settings.engine_defaults())


def build_transfers(admission: Admission, clock: Clock) -> Transfers:
    return Transfers(admission, ParticipantAdder(admission, clock), clock)

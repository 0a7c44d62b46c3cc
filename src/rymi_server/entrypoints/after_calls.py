"""Builds what a worker does after calls: the steps of the pipeline, deliveries of webhooks, and their sweeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.sweeping import DueSweep
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.sealed import Seal
from rymi_server.post_call.analyse import ANALYSE, Analyse, Analyser
from rymi_server.post_call.announce import ANNOUNCE, announcer
from rymi_server.post_call.begin import FINALIZE
from rymi_server.post_call.encode import ENCODE, Encoder
from rymi_server.post_call.finalize import Finalizer
from rymi_server.post_call.forget import DELETE_FILES, FileDeleter, delete_old
from rymi_server.post_call.mending import Mender
from rymi_server.post_call.record import LAY, Recorder
from rymi_server.post_call.settle import SETTLE, Settler
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.running import Work, in_transaction
from rymi_server.webhooks.alerting import ALERT, Alerter
from rymi_server.webhooks.connecting import Sender
from rymi_server.webhooks.delivering import Deliverer
from rymi_server.webhooks.telling import DELIVER

# How many jobs of a queue one worker does at a time. Most deliveries wait for somebody else; encoding fills a core.
CONCURRENCY: Mapping[str, int] = {"webhooks": 40, "encode": 1}


@dataclass(frozen=True, slots=True)
class AfterCalls:
    work: Mapping[JobKind, Work]
    sweeps: Sequence[DueSweep]
    sender: Sender

    async def close(self) -> None:
        await self.sender.close()


def after_calls(settings: Settings, database: Database, clock: Clock, analyse: Analyse) -> AfterCalls:
    settler = Settler(clock, settings.low_balance_usd)
    sender = Sender(allow_private=settings.allow_private_webhooks)
    mail_server = settings.mail_server()
    seal = Seal.from_text(settings.required_secret())
    deliverer = Deliverer(database, sender, seal, clock, sends_mails=mail_server is not None)
    storage = settings.storage()
    mender = Mender(clock)

    async def old_recordings(tx: Transaction) -> None:
        await delete_old(tx, clock)

    async def unfinished_files(_: Transaction) -> None:
        await storage.forget_unfinished(clock.now())

    return AfterCalls(
        work={
            FINALIZE: Finalizer(database, clock),
            LAY: Recorder(database, storage, clock),
            ENCODE: Encoder(database, storage),
            ANALYSE: Analyser(database, analyse, clock),
            SETTLE: in_transaction(database, settler),
            ANNOUNCE: in_transaction(database, announcer(settler, clock)),
            DELETE_FILES: FileDeleter(storage),
            DELIVER: deliverer,
            ALERT: Alerter(database, mail_server),
        },
        sweeps=[
            DueSweep("forgotten_calls", timedelta(seconds=60), mender.forgotten),
            DueSweep("unfinished_calls", timedelta(seconds=30), mender.unfinished),
            DueSweep("unrecorded_calls", timedelta(seconds=60), mender.unrecorded),
            DueSweep("lost_readings", timedelta(seconds=60), mender.lost_readings),
            DueSweep("late_pieces", timedelta(seconds=30), mender.late_pieces),
            DueSweep("pieces_of_deleted", timedelta(minutes=10), mender.pieces_of_deleted),
            DueSweep("old_recordings", timedelta(minutes=10), old_recordings),
            DueSweep("unfinished_files", timedelta(minutes=10), unfinished_files),
            DueSweep("webhooks", timedelta(seconds=10), deliverer.sweep),
        ],
        sender=sender,
    )

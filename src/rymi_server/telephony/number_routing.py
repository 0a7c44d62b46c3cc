"""Points numbers to us at their carrier, and back to where they pointed before.

What should be follows from two tables: a number that an agent answers comes to us, every other one does not. The jobs
here make it so, and may run as often as they like.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.numbers.store import answered_numbers
from rymi_server.queue.enqueue import NewJob, enqueue
from rymi_server.queue.kinds import Backoff, JobKind
from rymi_server.queue.later import Later
from rymi_server.telephony import connection_store as store
from rymi_server.telephony import store as legs
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.carriers.carrier import (
    Carrier,
    CarrierNumber,
    CarrierRefused,
    CredentialsRefused,
)
from rymi_server.telephony.carriers.hooks import AccountAddresses
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.models import Connection, KnownNumber

log = structlog.get_logger(__name__)

_PATIENT = Backoff(first_ms=1_000)
ROUTE = JobKind("carriers", "route_numbers", attempts=10, backoff=_PATIENT)
REFRESH = JobKind("carriers", "refresh_connection", attempts=5, backoff=_PATIENT)
RELEASE = JobKind("carriers", "release_connection", attempts=10, backoff=_PATIENT)

# Carriers go on reporting calls for a while, and are to be understood.
FORGET_AFTER = timedelta(hours=24)
_LOOK_AGAIN_MS = 30_000


async def enqueue_routing(tx: Transaction, tenant_id: TenantId) -> None:
    """Have the tenant's numbers point where they should, once the transaction commits."""
    if connection := await store.active_of(tx, tenant_id):
        await _enqueue(tx, ROUTE, connection.id, tenant_id)


async def enqueue_release(tx: Transaction, connection_id: str, tenant_id: TenantId) -> None:
    await _enqueue(tx, RELEASE, connection_id, tenant_id)


async def _enqueue(tx: Transaction, kind: JobKind, connection_id: str, tenant_id: TenantId) -> None:
    await enqueue(tx, kind, NewJob({"connection_id": connection_id, "tenant_id": tenant_id}))


class NumberRouting:
    """The jobs."""

    def __init__(self, database: Database, connections: Connections, addresses: CarrierAddresses, clock: Clock) -> None:
        self._database = database
        self._connections = connections
        self._addresses = addresses
        self._clock = clock

    async def route(self, job: Mapping[str, Any]) -> None:
        """Have the numbers of a connection point where they should."""
        async with self._database.transaction() as tx:
            connection = await store.find(tx, job["connection_id"])
            if connection is None or connection.sealed_credentials is None:
                return
            numbers = await store.numbers_of(tx, connection.id)
            answered = await answered_numbers(tx, connection.tenant_id) if connection.is_active else set()
        carrier = self._carrier(connection)
        at = self._addresses.of_connection(connection.provider, connection.id)
        for number in numbers:
            if not _is_right(number, at, wanted=number.number in answered):
                await self._route_one(connection, carrier, number.id)

    async def refresh(self, job: Mapping[str, Any]) -> None:
        """See what numbers there are now, and tell the carrier our address if it knows another one."""
        async with self._database.transaction() as tx:
            connection = await store.find(tx, job["connection_id"])
        if connection is None or not connection.is_active or connection.sealed_credentials is None:
            return
        carrier = self._carrier(connection)
        if connection.provisioned_for != self._addresses.public:
            at = self._addresses.of_connection(connection.provider, connection.id)
            credentials = await carrier.provision(at)
            async with self._database.transaction() as tx:
                sealed = self._connections.seal(connection.tenant_id, credentials)
                told = {"sealed_credentials": sealed, "provisioned_for": self._addresses.public}
                await store.change(tx, connection.id, **told)
            log.info("connection_told_new_address", tenant_id=connection.tenant_id)
        seen = await carrier.numbers()
        async with self._database.transaction() as tx:
            await store.see_numbers(tx, connection, seen, self._clock.now())
            await _enqueue(tx, ROUTE, connection.id, connection.tenant_id)

    async def release(self, job: Mapping[str, Any]) -> None:
        """Give back the numbers of a connection that is over, then take away what we made. Live calls end first."""
        await self.route(job)
        async with self._database.transaction() as tx:
            connection = await store.find(tx, job["connection_id"])
            if connection is None or connection.released_at or connection.sealed_credentials is None:
                return
            is_needed = await legs.live_on_connection(tx, connection.id)
        if is_needed:
            raise Later(_LOOK_AGAIN_MS)
        try:
            await self._carrier(connection).unprovision()
        except (CarrierRefused, CredentialsRefused) as error:
            # Whoever has changed the secret meanwhile must tidy up at the carrier.
            log.warning("connection_not_tidied", tenant_id=connection.tenant_id, code=error.code)
        async with self._database.transaction() as tx:
            await store.change(tx, connection.id, released_at=self._clock.now())

    async def look_after(self, tx: Transaction) -> None:
        """Connections whose carrier must hear of a new address, and secrets that nobody needs any more."""
        for connection in await store.provisioned_elsewhere(tx, self._addresses.public):
            await _enqueue(tx, REFRESH, connection.id, connection.tenant_id)
        await store.forget_released(tx, self._clock.now() - FORGET_AFTER)

    async def refresh_all(self, tx: Transaction) -> None:
        """Numbers that were bought or given up meanwhile."""
        for connection_id, tenant_id in await store.all_active(tx):
            await _enqueue(tx, REFRESH, connection_id, tenant_id)

    async def _route_one(
        self, connection: Connection, carrier: Carrier, number_id: str, *, noted: bool = False
    ) -> None:
        """Locked meanwhile, so that two jobs do not undo each other. Until then the connection may have ended."""
        at = self._addresses.of_connection(connection.provider, connection.id)
        async with self._database.transaction() as tx:
            known = await store.lock_number(tx, number_id)
            if known is None:
                return
            wanted = await _is_wanted(tx, connection.id, known.number)
            if _is_right(known, at, wanted=wanted):
                return
            try:
                done = await _point(tx, carrier, known, at, wanted=wanted)
            except (CarrierRefused, CredentialsRefused) as error:
                log.warning("number_not_routed", tenant_id=connection.tenant_id, code=error.code)
                # Nothing was changed there, and whoever owns the number may change it before the next attempt.
                forgotten = {"routing_before": sa.null()} if noted else {}
                await store.change_number(tx, known.id, routing_error=error.message[:300], **forgotten)
                return
        if not done:
            await self._route_one(connection, carrier, number_id, noted=True)

    def _carrier(self, connection: Connection) -> Carrier:
        return self._connections.open(connection.provider, self._connections.credentials(connection))


async def _point(tx: Transaction, carrier: Carrier, known: KnownNumber, at: AccountAddresses, *, wanted: bool) -> bool:
    """Whether it is done. False where it was only noted to what the number points, which is to be committed first.

    A carrier may do it without our learning of it, and whoever asks it then is told of our own address only.
    """
    number = CarrierNumber(known.number, known.reference, known.country)
    if not wanted:
        await carrier.restore(number, known.routing_before or {}, known.routed_to or at.answer)
        await store.change_number(tx, known.id, routed_to=None, routing_before=sa.null(), routing_error=None)
        return True
    if known.routing_before is None:
        before = await carrier.routing(number, at)
        if before is not None:
            await store.change_number(tx, known.id, routing_before=dict(before))
            return False
    await carrier.attach(number, at)
    await store.change_number(tx, known.id, routed_to=at.answer, routing_error=None)
    return True


async def _is_wanted(tx: Transaction, connection_id: str, number: str) -> bool:
    connection = await store.find(tx, connection_id)
    if connection is None or not connection.is_active:
        return False
    return number in await answered_numbers(tx, connection.tenant_id)


def _is_right(known: KnownNumber, at: AccountAddresses, *, wanted: bool) -> bool:
    if wanted:
        return known.routed_to == at.answer
    # Where it pointed before is known only of numbers that may point to us.
    return known.routed_to is None and known.routing_before is None

"""Connects a tenant's carrier account: checks it, makes what is needed there, and remembers it sealed.

One carrier is active at a time. Nothing is kept of an attempt that fails on the way.
"""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import structlog

from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.foundation.errors import Invalid, Unavailable
from rymi_server.foundation.ids import TenantId, new_prefixed
from rymi_server.telephony import connection_store as store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.carriers.carrier import (
    Carrier,
    CarrierAccount,
    CarrierRefused,
    CarrierThrottled,
    Credentials,
    CredentialsRefused,
)
from rymi_server.telephony.carriers.registry import CARRIERS, CarrierKind
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.errors import CarrierCheckFailed, CarrierCredentialsWrong, CarrierIsBusy
from rymi_server.telephony.models import Connection
from rymi_server.telephony.number_routing import enqueue_release, enqueue_routing

log = structlog.get_logger(__name__)

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class WantedConnection:
    """What a customer sent. `fields` holds the credentials under the carrier's own words for them."""

    provider: str
    fields: Mapping[str, str]
    calls_per_second: Decimal | None = None
    concurrent_calls: int | None = None


class CarrierConnector:
    def __init__(self, database: Database, connections: Connections, addresses: CarrierAddresses, clock: Clock) -> None:
        self._database = database
        self._connections = connections
        self._addresses = addresses
        self._clock = clock

    async def check(self, provider: str, fields: Mapping[str, str]) -> CarrierAccount:
        """The account that these credentials open. Nothing is stored."""
        carrier = self._connections.open(provider, credentials_in(CARRIERS[provider], fields))
        return await _asked(carrier)

    async def connect(self, tenant_id: TenantId, wanted: WantedConnection) -> Connection:
        """The tenant's calls go through this account from now on."""
        given = credentials_in(CARRIERS[wanted.provider], wanted.fields)
        account = await _asked(self._connections.open(wanted.provider, given))
        connection_id = new_prefixed("con")
        at = self._addresses.of_connection(wanted.provider, connection_id)
        provisioned = await _carried_out(self._connections.open(wanted.provider, given).provision(at))
        carrier = self._connections.open(wanted.provider, provisioned)
        connection = Connection(
            id=connection_id,
            tenant_id=tenant_id,
            provider=wanted.provider,
            account_id=given.account_id,
            account_name=account.name[:256],
            account_country=account.country,
            is_trial=account.is_trial,
            sealed_credentials=self._connections.seal(tenant_id, provisioned),
            provisioned_for=self._addresses.public,
            calls_per_second=wanted.calls_per_second,
            concurrent_calls=wanted.concurrent_calls,
            created_at=self._clock.now(),
            disconnected_at=None,
            released_at=None,
        )
        kept = False
        try:
            await self._keep(connection, carrier)
            kept = True
        finally:
            if not kept:
                await _tidy(carrier)
        log.info("carrier_connected", tenant_id=tenant_id, carrier=connection.provider)
        return connection

    async def disconnect(self, tx: Transaction, tenant_id: TenantId) -> bool:
        """Whether there was anything to disconnect. Calls that are going on may end in peace."""
        ended = await store.disconnect(tx, tenant_id, self._clock.now())
        if ended:
            await enqueue_release(tx, ended, tenant_id)
        return ended is not None

    async def _keep(self, connection: Connection, carrier: Carrier) -> None:
        numbers = await _carried_out(carrier.numbers())
        async with self._database.transaction() as tx:
            await store.one_at_a_time(tx, connection.tenant_id)
            await self.disconnect(tx, connection.tenant_id)
            await store.add(tx, connection)
            await store.see_numbers(tx, connection, numbers, self._clock.now())
            # The same account again: its numbers stay with us, and still belong where they were at first.
            for before in await store.not_released(tx, connection):
                await store.take_over_routing(tx, before, connection.id)
            await enqueue_routing(tx, connection.tenant_id)


def credentials_in(kind: CarrierKind, fields: Mapping[str, str]) -> Credentials:
    """Raise `Invalid` for what is missing, or is not what this carrier calls so."""
    for field in kind.fields:
        value = fields.get(field.name)
        if field.required and not value:
            raise Invalid(f"{kind.display_name} needs {field.name}.", where=field.name)
        if value and field.pattern and not field.pattern.fullmatch(value):
            raise Invalid(f"This is not the form of {kind.display_name}'s {field.label}.", where=field.name)
    return Credentials(
        fields[kind.account_field], fields[kind.secret_field], signature_secret=fields.get("signature_secret") or None
    )


async def _asked(carrier: Carrier) -> CarrierAccount:
    try:
        return await _carried_out(carrier.account())
    except CarrierCheckFailed as failed:
        if isinstance(failed.__cause__, CarrierRefused):
            raise CarrierCredentialsWrong(failed.__cause__.message) from failed
        raise


async def _carried_out(asking: Awaitable[Done]) -> Done:
    try:
        return await asking
    except CredentialsRefused as error:
        raise CarrierCredentialsWrong(error.message) from error
    except CarrierThrottled as error:
        raise CarrierIsBusy from error
    except Unavailable as error:
        raise CarrierCheckFailed(error.message) from error


async def _tidy(carrier: Carrier) -> None:
    """Nothing of a connection that was not kept shall stay at the carrier."""
    try:
        await carrier.unprovision()
    except Unavailable as error:
        log.warning("connection_not_tidied", code=error.code)

"""Opens the carrier accounts that tenants have connected. Their secrets are sealed, and leave only inside a carrier."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.foundation.sealed import Seal
from rymi_server.telephony import connection_store as store
from rymi_server.telephony.carriers.carrier import Carrier, CarrierWire, ConnectedCarrier, Credentials
from rymi_server.telephony.carriers.registry import CARRIERS
from rymi_server.telephony.models import Connection
from rymi_server.telephony.terms import CarrierHosts, CarrierLimits

_PURPOSE = "carrier credentials"


@dataclass(frozen=True, slots=True)
class Wired:
    """A connection with what is needed to understand and answer its carrier."""

    connection: Connection
    credentials: Credentials
    wire: CarrierWire


class Connections:
    """Keeps the promise `ConnectedCarriers`."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        hosts: CarrierHosts,
        limits: Mapping[str, CarrierLimits],
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._http = http
        self._hosts = hosts
        self._limits = limits
        self._seal = seal
        self._clock = clock

    async def of(self, tx: Transaction, tenant_id: TenantId) -> ConnectedCarrier | None:
        connection = await store.active_of(tx, tenant_id)
        return self._connected(connection) if connection else None

    async def by_id(self, tx: Transaction, connection_id: str) -> ConnectedCarrier | None:
        connection = await store.find(tx, connection_id)
        return self._connected(connection) if connection else None

    async def wired(self, tx: Transaction, connection_id: str) -> Wired | None:
        """None where there is no such connection, or its secrets are forgotten."""
        connection = await store.find(tx, connection_id)
        if connection is None or connection.sealed_credentials is None:
            return None
        return Wired(connection, self.credentials(connection), CARRIERS[connection.provider].wire)

    def open(self, provider: str, credentials: Credentials) -> Carrier:
        hosts = self._hosts.for_account(credentials.account_id)
        return CARRIERS[provider].open(self._http, hosts, credentials, self._clock.now)

    def credentials(self, connection: Connection) -> Credentials:
        assert connection.sealed_credentials is not None
        opened = self._seal.open(connection.sealed_credentials, owner=connection.tenant_id, purpose=_PURPOSE)
        return Credentials(connection.account_id, **json.loads(opened))

    def seal(self, tenant_id: TenantId, credentials: Credentials) -> bytes:
        secrets = {
            "secret": credentials.secret,
            "signature_secret": credentials.signature_secret,
            "application_id": credentials.application_id,
            "private_key": credentials.private_key,
        }
        return self._seal.close(json.dumps(secrets), owner=tenant_id, purpose=_PURPOSE)

    async def close(self) -> None:
        await self._http.aclose()

    def _connected(self, connection: Connection) -> ConnectedCarrier | None:
        if connection.sealed_credentials is None:
            return None
        usual = self._limits[connection.provider]
        own = connection.calls_per_second
        return ConnectedCarrier(
            connection.id,
            f"{connection.provider}:{connection.account_id}",
            self.open(connection.provider, self.credentials(connection)),
            float(own) if own is not None else usual.calls_per_second,
            connection.concurrent_calls or usual.concurrent_calls,
            CARRIERS[connection.provider].refuses_excess,
        )

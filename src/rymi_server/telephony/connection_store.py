"""Connections and their numbers in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import AgentId, TenantId, new_prefixed
from rymi_server.foundation.statements import Statement
from rymi_server.numbers.models import phone_numbers
from rymi_server.telephony.carriers.carrier import CarrierNumber
from rymi_server.telephony.models import Connection, KnownNumber, carrier_connections, carrier_numbers

ACTIVE, INACTIVE = "active", "inactive"
_TURN = sa.text("select pg_advisory_xact_lock(hashtextextended('connect:' || :tenant, 0))")
_connections, _numbers = carrier_connections.c, carrier_numbers.c
_ACTIVE = Statement(
    sa.select(carrier_connections).where(
        _connections.tenant_id == sa.bindparam("tenant"), _connections.disconnected_at.is_(None)
    )
)
_FOUND = Statement(sa.select(carrier_connections).where(_connections.id == sa.bindparam("connection")))


async def active_of(tx: Transaction, tenant_id: TenantId) -> Connection | None:
    return _connection(await _ACTIVE.one_or_none(tx, {"tenant": tenant_id}))


async def find(tx: Transaction, connection_id: str) -> Connection | None:
    return _connection(await _FOUND.one_or_none(tx, {"connection": connection_id}))


async def lock(tx: Transaction, connection_id: str) -> Connection | None:
    named = sa.select(carrier_connections).where(_connections.id == connection_id).with_for_update()
    return _connection((await tx.execute(named)).one_or_none())


async def add(tx: Transaction, connection: Connection) -> None:
    columns = [column.name for column in carrier_connections.columns]
    await tx.execute(carrier_connections.insert().values({name: getattr(connection, name) for name in columns}))


async def change(tx: Transaction, connection_id: str, **values: Any) -> None:
    await tx.execute(carrier_connections.update().where(_connections.id == connection_id).values(**values))


async def disconnect(tx: Transaction, tenant_id: TenantId, now: datetime) -> str | None:
    """The id of the connection that has been ended, or None where there was none."""
    ended = await tx.execute(
        carrier_connections.update()
        .where(_connections.tenant_id == tenant_id, _connections.disconnected_at.is_(None))
        .values(disconnected_at=now)
        .returning(_connections.id)
    )
    row = ended.one_or_none()
    return str(row.id) if row else None


async def not_released(tx: Transaction, connection: Connection) -> list[str]:
    """Connections of the same account that this tenant had before, and whose numbers may not be given back yet."""
    found = sa.select(_connections.id).where(
        _connections.tenant_id == connection.tenant_id,
        _connections.provider == connection.provider,
        _connections.account_id == connection.account_id,
        _connections.id != connection.id,
        _connections.released_at.is_(None),
    )
    return list((await tx.execute(found.order_by(_connections.created_at))).scalars())


async def provisioned_elsewhere(tx: Transaction, public: str) -> list[Connection]:
    """Active connections whose carrier knows another address of ours."""
    found = sa.select(carrier_connections).where(
        _connections.disconnected_at.is_(None), _connections.provisioned_for != public
    )
    return [each for row in await tx.execute(found) if (each := _connection(row))]


async def all_active(tx: Transaction) -> list[tuple[str, TenantId]]:
    found = sa.select(_connections.id, _connections.tenant_id).where(_connections.disconnected_at.is_(None))
    return [(row.id, TenantId(row.tenant_id)) for row in await tx.execute(found)]


async def forget_released(tx: Transaction, released_before: datetime) -> None:
    """Secrets of connections that are over go, once nothing can come of them any more."""
    await tx.execute(
        carrier_connections.update()
        .where(_connections.released_at < released_before, _connections.sealed_credentials.is_not(None))
        .values(sealed_credentials=None)
    )


async def one_at_a_time(tx: Transaction, tenant_id: TenantId) -> None:
    """Whoever else connects this tenant waits until the transaction ends."""
    await tx.execute(_TURN, {"tenant": tenant_id})


async def take_over_routing(tx: Transaction, from_connection: str, to_connection: str) -> None:
    """Numbers of one account that is connected again: where they pointed at first goes over to the new connection."""
    for known in await numbers_of(tx, from_connection):
        if known.routed_to or known.routing_before is not None:
            await tx.execute(
                carrier_numbers.update()
                .where(_numbers.connection_id == to_connection, _numbers.number == known.number)
                .values(routing_before=known.routing_before or {})
            )
            await change_number(tx, known.id, routed_to=None, routing_before=sa.null())


async def see_numbers(tx: Transaction, connection: Connection, seen: Sequence[CarrierNumber], now: datetime) -> None:
    """Take over what the carrier lists. What it does not list any more is inactive."""
    for number in seen:
        adding = insert(carrier_numbers).values(
            id=new_prefixed("num"),
            connection_id=connection.id,
            tenant_id=connection.tenant_id,
            provider=connection.provider,
            number=number.number,
            reference=number.reference,
            country=number.country,
            status=ACTIVE,
            seen_at=now,
        )
        again = {"reference": number.reference, "country": number.country, "status": ACTIVE, "seen_at": now}
        await tx.execute(adding.on_conflict_do_update(index_elements=["connection_id", "number"], set_=again))
    await tx.execute(
        carrier_numbers.update()
        .where(_numbers.connection_id == connection.id, _numbers.number.not_in([each.number for each in seen]))
        .values(status=INACTIVE)
    )


async def numbers_of(tx: Transaction, connection_id: str) -> list[KnownNumber]:
    mine = sa.select(carrier_numbers).where(_numbers.connection_id == connection_id).order_by(_numbers.number)
    return [KnownNumber(*row) for row in await tx.execute(mine)]


async def lock_number(tx: Transaction, number_id: str) -> KnownNumber | None:
    named = sa.select(carrier_numbers).where(_numbers.id == number_id).with_for_update()
    row = (await tx.execute(named)).one_or_none()
    return KnownNumber(*row) if row is not None else None


async def listed(tx: Transaction, connection: Connection) -> list[tuple[KnownNumber, str | None]]:
    """The numbers of a connection, each with the agent that answers it."""
    found = (
        sa.select(carrier_numbers, phone_numbers.c.agent_id)
        .outerjoin(
            phone_numbers,
            sa.and_(phone_numbers.c.tenant_id == _numbers.tenant_id, phone_numbers.c.number == _numbers.number),
        )
        .where(_numbers.connection_id == connection.id)
        .order_by(_numbers.number)
    )
    return [(KnownNumber(*row[:-1]), row[-1]) for row in await tx.execute(found)]


async def caller_id(tx: Transaction, connection: Connection, agent_id: AgentId) -> str | None:
    """The number that this account's calls go out from: one that the agent answers, else one that anybody does."""
    answered_first = sa.case((phone_numbers.c.agent_id == agent_id, 0), (phone_numbers.c.id.is_not(None), 1), else_=2)
    found = (
        sa.select(_numbers.number)
        .outerjoin(
            phone_numbers,
            sa.and_(phone_numbers.c.tenant_id == _numbers.tenant_id, phone_numbers.c.number == _numbers.number),
        )
        .where(_numbers.connection_id == connection.id, _numbers.status == ACTIVE)
        .order_by(answered_first, _numbers.number)
        .limit(1)
    )
    return (await tx.execute(found)).scalar_one_or_none()


async def caller_ids_among(tx: Transaction, connection: Connection, numbers: Collection[str]) -> set[str]:
    """Those of `numbers` that the account may call from."""
    mine = sa.select(_numbers.number).where(
        _numbers.connection_id == connection.id, _numbers.status == ACTIVE, _numbers.number.in_(numbers)
    )
    return set((await tx.execute(mine)).scalars())


async def change_number(tx: Transaction, number_id: str, **values: Any) -> None:
    await tx.execute(carrier_numbers.update().where(_numbers.id == number_id).values(**values))


def _connection(row: Sequence[Any] | None) -> Connection | None:
    return Connection(*row) if row is not None else None

"""What an operator does to tenants from the command line: makes them, gives them keys and credit."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rymi_server.credits import ledger
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import KeyId, TenantId, new_prefixed
from rymi_server.keys import store as keys
from rymi_server.keys.models import digest, new_secret_key, shown_prefix
from rymi_server.tenants import store as tenants
from rymi_server.tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key with its plaintext, which exists only here."""

    id: KeyId
    plaintext: str


async def create_tenant(tx: Transaction, name: str, plan: str, now: datetime) -> Tenant:
    tenant = await tenants.create(tx, name, plan, now)
    await ledger.open_account(tx, tenant.id)
    return tenant


async def create_key(tx: Transaction, tenant_id: TenantId, label: str, pepper: bytes, now: datetime) -> NewKey:
    plaintext = new_secret_key()
    key = await keys.add_secret(tx, tenant_id, digest(plaintext, pepper), shown_prefix(plaintext), label, now)
    return NewKey(key.id, plaintext)


async def add_credit(tx: Transaction, tenant_id: TenantId, amount: Decimal, note: str, now: datetime) -> Decimal:
    """The balance afterwards."""
    account = await ledger.grant(tx, tenant_id, amount, reference=new_prefixed("grant"), note=note, now=now)
    return account.balance

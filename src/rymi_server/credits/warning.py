"""Tells once that a balance has become low, and once that it is gone; again only after it was well in between."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from rymi_server.credits.facts import BalanceLow
from rymi_server.credits.models import credit_accounts
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.queue.facts import publish

LOW, DEPLETED = "low", "depleted"


@dataclass(frozen=True, slots=True)
class Told:
    """What an owner should know of a balance."""

    balance: Decimal
    threshold: Decimal
    before: str | None

    @property
    def now(self) -> str | None:
        if self.balance <= 0:
            return DEPLETED
        return LOW if self.balance < self.threshold else None

    @property
    def is_news(self) -> bool:
        """From bad to worse; what gets better needs no warning."""
        return self.now is not None and self.now != self.before and self.before != DEPLETED


async def warn_if_low(tx: Transaction, tenant_id: TenantId, low_below: Decimal, now: datetime) -> None:
    """After money has moved. `low_below` is for accounts that have no threshold of their own."""
    columns = credit_accounts.c.balance, credit_accounts.c.low_balance_usd, credit_accounts.c.told
    mine = credit_accounts.c.tenant_id == tenant_id
    balance, own, before = (await tx.execute(sa.select(*columns).where(mine).with_for_update())).one()
    threshold = low_below if own is None else own
    told = Told(balance, threshold, before)
    if told.now != before:
        await tx.execute(credit_accounts.update().where(mine).values(told=told.now))
    if told.is_news:
        depleted = told.now == DEPLETED
        await publish(tx, BalanceLow(tenant_id, str(balance), str(threshold), depleted, now.isoformat()))

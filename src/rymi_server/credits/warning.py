"""Tells an owner once for each threshold that a balance falls below; again only after it was above it in between."""

from collections.abc import Collection, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from rymi_server.credits.facts import BalanceLow
from rymi_server.credits.models import Movement, credit_accounts, credit_entries
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.queue.facts import publish

_GONE = Decimal(0)


def lowest_crossed(balance: Decimal, thresholds: Collection[Decimal]) -> Decimal | None:
    """The lowest threshold that the balance is below; 0 once it is gone, None while it is well."""
    if balance <= _GONE:
        return _GONE
    return min((each for each in thresholds if balance < each), default=None)


def is_news(now: Decimal | None, before: Decimal | None) -> bool:
    """From bad to worse; what gets better needs no warning."""
    return now is not None and (before is None or now < before)


async def warn_if_low(tx: Transaction, tenant_id: TenantId, low_below: Decimal, now: datetime) -> None:
    """After money has moved. `low_below` is for accounts that have no thresholds of their own."""
    account = (await tx.execute(_MINE, {"tenant": tenant_id})).one()
    thresholds = await _thresholds(tx, tenant_id, account, low_below)
    crossed = lowest_crossed(account.balance, thresholds)
    if crossed != account.told_below:
        mine = credit_accounts.c.tenant_id == tenant_id
        await tx.execute(credit_accounts.update().where(mine).values(told_below=crossed))
    if crossed is not None and is_news(crossed, account.told_below):
        # Of an account that is empty, the highest threshold says best what was meant to be enough.
        threshold = crossed or max(thresholds, default=_GONE)
        depleted = crossed == _GONE
        await publish(tx, BalanceLow(tenant_id, str(account.balance), str(threshold), depleted, now.isoformat()))


async def change_alerts(tx: Transaction, tenant_id: TenantId, values: Mapping[str, Any]) -> None:
    """`alert_thresholds` and `low_balance_pct`; None is what the operator has set. Holds from the next movement on."""
    if values:
        await tx.execute(credit_accounts.update().where(credit_accounts.c.tenant_id == tenant_id).values(**values))


async def _thresholds(tx: Transaction, tenant_id: TenantId, account: Any, low_below: Decimal) -> Collection[Decimal]:
    own: list[Decimal] = list(account.alert_thresholds or ())
    if account.low_balance_pct is not None:
        granted = (await tx.execute(_NEWEST_GRANT, {"tenant": tenant_id})).scalar_one_or_none()
        own += [granted * account.low_balance_pct / 100] if granted else []
    is_set = account.alert_thresholds is not None or account.low_balance_pct is not None
    return own if is_set else [low_below]


_MINE = (
    sa.select(
        credit_accounts.c.balance,
        credit_accounts.c.told_below,
        credit_accounts.c.alert_thresholds,
        credit_accounts.c.low_balance_pct,
    )
    .where(credit_accounts.c.tenant_id == sa.bindparam("tenant"))
    .with_for_update()
)
_NEWEST_GRANT = (
    sa.select(credit_entries.c.amount)
    .where(
        credit_entries.c.tenant_id == sa.bindparam("tenant"),
        credit_entries.c.kind == Movement.GRANT,
        credit_entries.c.amount > 0,
    )
    .order_by(credit_entries.c.id.desc())
    .limit(1)
)

"""Finds who asks: a key by its digest, together with its tenant, in one look, because every request does it."""

from datetime import datetime

from rymi_server.call_control.wanted import Caller
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.statements import Statement
from rymi_server.keys.models import SecretKey, api_keys, digest, is_publishable, publishable_keys
from rymi_server.keys.store import PUBLISHABLE_BY_DIGEST, SECRET_BY_DIGEST, publishable_key
from rymi_server.tenants.models import Tenant, tenants

_KEY_COLUMNS = len(SECRET_BY_DIGEST.selected_columns)
_PUBLISHABLE_COLUMNS = len(PUBLISHABLE_BY_DIGEST.selected_columns)
_BY_SECRET = Statement(SECRET_BY_DIGEST.add_columns(*tenants.c).join(tenants, tenants.c.id == api_keys.c.tenant_id))
_BY_PUBLISHABLE = Statement(
    PUBLISHABLE_BY_DIGEST.add_columns(*tenants.c).join(tenants, tenants.c.id == publishable_keys.c.tenant_id)
)


async def caller_with(tx: Transaction, plaintext: str, pepper: bytes, now: datetime) -> Caller | None:
    """None where no key that works is spelled so."""
    recognised = digest(plaintext, pepper)
    if is_publishable(plaintext):
        row = await _BY_PUBLISHABLE.one_or_none(tx, {"digest": recognised})
        if row is None:
            return None
        return Caller(Tenant(*row[_PUBLISHABLE_COLUMNS:]), publishable_key(row[:_PUBLISHABLE_COLUMNS]))
    row = await _BY_SECRET.one_or_none(tx, {"digest": recognised, "now": now})
    return Caller(Tenant(*row[_KEY_COLUMNS:]), SecretKey(*row[:_KEY_COLUMNS])) if row is not None else None

"""Which carriers there are."""

from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import TenantId
from rymi_server.telephony.carriers.carrier import Carrier


class NoCarriers:
    """An installation in which no tenant can connect a carrier yet: every leg fails, and says why."""

    async def of(self, tx: Transaction, tenant_id: TenantId) -> Carrier | None:  # noqa: ARG002 - the promise's names
        return None

"""The tokens that open media sockets: one for each socket of a leg, good once and for two minutes.

Nothing secret is stored. A token is made of the leg's id and of how many sockets the leg has had, so that asking for
the same document twice gives the same token, and using it makes it worthless.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from rymi_server.calls import store as calls
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import LegId
from rymi_server.telephony import store
from rymi_server.telephony.models import Leg

GOOD_FOR = timedelta(minutes=2)
_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class MediaTokens:
    key: bytes = field(repr=False)

    @classmethod
    def under(cls, secret: str) -> "MediaTokens":
        return cls(hashlib.blake2b(secret.encode(), digest_size=32, person=b"rymi.media").digest())

    def issue(self, leg: Leg) -> str:
        """For the leg's next socket. Two minutes start when the document that holds it is served."""
        return self._token(leg.id, leg.media_uses)

    async def consume(self, tx: Transaction, leg_id: LegId, token: str, now: datetime) -> Leg | None:
        """The leg, if the token opens it; None for whoever comes too late, again, or with something else.

        A socket that broke may come back once with the token that it had: a carrier that loses its connection knows
        no other.
        """
        known = await store.find(tx, leg_id)
        if known is None:
            return None
        # The call before the leg, as everybody does: the phone is put into the call in this same transaction.
        await calls.lock(tx, known.tenant_id, known.call_id)
        leg = await store.lock(tx, leg_id)
        if leg is None or leg.is_over:
            return None
        if self._is(token, leg.id, leg.media_uses):
            if leg.media_offered_at is None or now - leg.media_offered_at > GOOD_FOR:
                return None
            await store.change(tx, leg.id, media_uses=leg.media_uses + 1)
            return await store.get(tx, leg.id)
        if leg.media_uses and not leg.media_resumed and self._is(token, leg.id, leg.media_uses - 1):
            await store.change(tx, leg.id, media_resumed=True)
            return await store.get(tx, leg.id)
        return None

    def _is(self, token: str, leg_id: LegId, use: int) -> bool:
        return hmac.compare_digest(self._token(leg_id, use).encode(), token.encode())

    def _token(self, leg_id: LegId, use: int) -> str:
        return hmac.new(self.key, f"{leg_id}\0{use}".encode(), hashlib.sha256).hexdigest()[:_CHARACTERS]

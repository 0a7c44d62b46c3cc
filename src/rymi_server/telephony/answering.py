"""What a carrier is told to do with an answered call: connect it to our socket, hand it over, or hang up."""

from datetime import datetime

from rymi_server.calls import store as calls
from rymi_server.calls.lifecycle import OVER
from rymi_server.calls.models import Call
from rymi_server.foundation.database import Transaction
from rymi_server.foundation.ids import LegId
from rymi_server.telephony import store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.carriers.carrier import Document, MediaOffer
from rymi_server.telephony.connections import Wired
from rymi_server.telephony.media_tokens import MediaTokens


class AnswerDocuments:
    def __init__(self, addresses: CarrierAddresses, tokens: MediaTokens) -> None:
        self._addresses = addresses
        self._tokens = tokens

    async def of(self, tx: Transaction, wired: Wired, leg_id: LegId, now: datetime) -> Document:
        """The same for the same leg, however often it is asked for, until its socket has been opened."""
        known = await store.find(tx, leg_id)
        if known is None:
            return wired.wire.hang_up()
        call = await calls.lock(tx, known.tenant_id, known.call_id)
        leg = await store.lock(tx, leg_id)
        if leg is not None and leg.transferred_to is not None:
            return wired.wire.forward(leg.transferred_to, leg.our_number)
        if leg is None or leg.is_over or call.status in OVER:
            return wired.wire.hang_up()
        await store.change(tx, leg.id, media_offered_at=now)
        token = self._tokens.issue(leg)
        connection = wired.connection
        offer = MediaOffer(
            self._addresses.of_media(connection.provider, leg.id, token),
            token,
            self._addresses.of_leg(connection.provider, connection.id, leg.id).stream,
            await _notice(tx, call),
        )
        return wired.wire.connect(offer, wired.credentials)


async def _notice(tx: Transaction, call: Call) -> str | None:
    """What has to be said about the recording before anybody speaks, if the agent's owner wants that."""
    if not call.post_call.get("recording", {}).get("enabled"):
        return None
    agent = await calls.frozen_agent(tx, call.id)
    notice = agent.get("features", {}).get("recording_notice") if isinstance(agent.get("features"), dict) else None
    return notice if isinstance(notice, str) and notice.strip() else None

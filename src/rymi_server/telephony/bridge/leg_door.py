"""Lets in the carrier's socket of a leg that is expected: by the carrier's signature, and by the leg's own token."""

from rymi_server.calls import store as calls
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database
from rymi_server.telephony import store
from rymi_server.telephony.addresses import CarrierAddresses
from rymi_server.telephony.bridge.guests import Guest, Knock
from rymi_server.telephony.carriers.carrier import SignedRequest
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.media_tokens import MediaTokens


class LegDoor:
    """Keeps the promise `Door`."""

    def __init__(
        self,
        database: Database,
        connections: Connections,
        addresses: CarrierAddresses,
        tokens: MediaTokens,
        clock: Clock,
    ) -> None:
        self._database = database
        self._connections = connections
        self._addresses = addresses
        self._tokens = tokens
        self._clock = clock

    async def admit(self, knock: Knock) -> Guest | None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            known = await store.find(tx, knock.leg_id)
            if known is None or known.connection_id is None or known.provider != knock.carrier:
                return None
            wired = await self._connections.wired(tx, known.connection_id)
            if wired is None:
                return None
            # The carrier has signed the address that it was given, whatever a proxy has made of it on the way.
            address = self._addresses.of_media(knock.carrier, knock.leg_id, knock.token)
            request = SignedRequest("GET", address, knock.headers)
            if not wired.wire.verifies_socket(wired.credentials, request, knock.token, now):
                return None
            leg = await self._tokens.consume(tx, knock.leg_id, knock.token, now)
            if leg is None:
                return None
            people = await calls.participants_of(tx, leg.call_id)
        participant = next(person for person in people if person.id == leg.participant_id)
        return Guest(leg.id, leg.call_id, leg.tenant_id, participant)

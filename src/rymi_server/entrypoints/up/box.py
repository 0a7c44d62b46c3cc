"""Gives the demo account a phone line: its carrier is the one in the box, and its number is one of the box's.

A box forgets everything when it stops, so this is done at every start, by the use case that customers reach over the
API. An account that is connected to anything else is left alone.
"""

import httpx

from rymi_server.entrypoints.carriers import connections_of
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.up.demo import NUMBER
from rymi_server.foundation.clock import SystemClock
from rymi_server.foundation.database import Database
from rymi_server.foundation.errors import Refused, Unavailable
from rymi_server.foundation.ids import TenantId
from rymi_server.telephony import connection_store
from rymi_server.telephony.carriers.box import BOX_ACCOUNT, BOX_ACCOUNTS, BOX_TOKEN
from rymi_server.telephony.connecting import CarrierConnector, WantedConnection

_ANSWERS_WITHIN_SECONDS = 15.0
_NO_LINE = "The demo account has no phone line"


async def connect_demo(settings: Settings, database_url: str, tenant_id: str, box_url: str) -> str | None:
    """Why there is no line, for people; None where there is one. Everything else works without."""
    database, clock = Database(database_url, connections=2), SystemClock()
    connections = connections_of(settings, clock)
    connector = CarrierConnector(database, connections, settings.carrier_addresses(), clock)
    try:
        await _lay_line(box_url)
        async with database.transaction() as tx:
            before = await connection_store.active_of(tx, TenantId(tenant_id))
        if before is None or before.account_id in BOX_ACCOUNTS:
            wanted = WantedConnection("twilio", {"auth_id": BOX_ACCOUNT, "auth_token": BOX_TOKEN})
            await connector.connect(TenantId(tenant_id), wanted)
    except (Refused, Unavailable) as error:
        return f"{_NO_LINE}: {error.message}"
    except httpx.HTTPError as error:
        return f"{_NO_LINE}: {str(error) or type(error).__name__}"
    finally:
        await connections.close()
        await database.close()
    return None


async def _lay_line(box_url: str) -> None:
    """The demo's number belongs to the box's account from now on."""
    # The box is ours and on this machine, whatever proxy leads to others.
    async with httpx.AsyncClient(base_url=box_url, timeout=_ANSWERS_WITHIN_SECONDS, trust_env=False) as box:
        owned = (await box.get("/control/numbers")).json()["numbers"]
        if all(each["number"] != NUMBER for each in owned):
            number = {"carrier": "twilio", "account_id": BOX_ACCOUNT, "number": NUMBER}
            (await box.post("/control/numbers", json=number)).raise_for_status()

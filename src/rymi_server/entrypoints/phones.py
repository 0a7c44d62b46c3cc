"""Builds what a worker does about phones out of the settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.sweeping import DueSweep
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.queue.kinds import JobKind
from rymi_server.queue.running import Work
from rymi_server.telephony.carriers.carrier import ConnectedCarriers
from rymi_server.telephony.connections import Connections
from rymi_server.telephony.dialing import DIAL, Dialer
from rymi_server.telephony.hang_up import HANG_UP, LegHangUp
from rymi_server.telephony.leg_watch import LegWatch
from rymi_server.telephony.number_routing import REFRESH, RELEASE, ROUTE, NumberRouting
from rymi_server.telephony.told_once import forget_old

# Jobs that wait for their turn in place, for two seconds at most, and those that wait for a carrier's answer.
DIALED_AT_ONCE = 150


@dataclass(frozen=True, slots=True)
class PhoneWork:
    """What a worker does about phones."""

    jobs: Mapping[JobKind, Work]
    sweeps: tuple[DueSweep, ...]
    concurrency: Mapping[str, int]


def phone_work(
    settings: Settings, database: Database, clock: Clock, connections: Connections, carriers: ConnectedCarriers
) -> PhoneWork:
    """`carriers` are whom legs are dialed through: the connections, unless a test has others."""
    addresses = settings.carrier_addresses()
    routing = NumberRouting(database, connections, addresses, clock)
    watch = LegWatch(database, carriers, clock)

    async def quiet_legs(_: Transaction) -> None:
        await watch.look_after()

    async def old_requests(tx: Transaction) -> None:
        await forget_old(tx, clock.now())

    return PhoneWork(
        jobs={
            DIAL: Dialer(database, carriers, addresses, clock, terms=settings.dial_terms()),
            HANG_UP: LegHangUp(database, carriers),
            ROUTE: routing.route,
            REFRESH: routing.refresh,
            RELEASE: routing.release,
        },
        sweeps=(
            DueSweep("repair_legs", timedelta(seconds=15), quiet_legs),
            DueSweep("forget_old_carrier_requests", timedelta(minutes=10), old_requests),
            DueSweep("look_after_connections", timedelta(seconds=30), routing.look_after),
            DueSweep("refresh_connections", timedelta(minutes=15), routing.refresh_all),
        ),
        concurrency={DIAL.queue: DIALED_AT_ONCE},
    )

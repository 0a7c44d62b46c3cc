"""What keeps running calls right, whoever has crashed: their agents, their rooms, their length and their credit."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from rymi_server.call_control.ending_credit import EndingCredit
from rymi_server.call_control.long_calls import LongCalls
from rymi_server.call_control.lost_agents import LostAgents
from rymi_server.call_control.room_checks import RoomChecks
from rymi_server.call_control.untaken_agents import UntakenAgents
from rymi_server.entrypoints.settings import Settings
from rymi_server.entrypoints.sweeping import DueSweep, Sweep
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.database import Database, Transaction
from rymi_server.rooms.notices import forget_old_notices
from rymi_server.rooms.server import RoomServer


def sweeps_of_live_calls(settings: Settings, database: Database, clock: Clock, rooms: RoomServer) -> list[DueSweep]:
    async def old_notices(tx: Transaction) -> None:
        await forget_old_notices(tx, clock.now())

    lost_agents = LostAgents(database, clock, timedelta(seconds=settings.agent_wait_seconds))
    long_calls = LongCalls(database, clock, timedelta(seconds=settings.longest_call_seconds))
    return [
        DueSweep("lost_agents", timedelta(seconds=2), _alone(lost_agents.sweep)),
        DueSweep("untaken_agents", timedelta(seconds=2), _alone(UntakenAgents(database, clock, rooms).sweep)),
        DueSweep("ending_credit", timedelta(seconds=5), _alone(EndingCredit(database, clock).sweep)),
        DueSweep("long_calls", timedelta(seconds=10), _alone(long_calls.sweep)),
        DueSweep("room_checks", timedelta(seconds=10), _alone(RoomChecks(database, clock, rooms).sweep)),
        DueSweep("forget_old_notices", timedelta(minutes=10), old_notices),
    ]


def _alone(sweep: Callable[[], Awaitable[None]]) -> Sweep:
    """One that opens transactions of its own."""

    async def run(_: Transaction) -> None:
        await sweep()

    return run

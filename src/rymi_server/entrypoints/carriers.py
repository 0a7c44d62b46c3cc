"""Builds the way to carriers out of the settings, for every process that asks them. It loads nothing that runs jobs."""

from rymi_server.entrypoints.settings import Settings
from rymi_server.foundation.clock import Clock
from rymi_server.foundation.sealed import Seal
from rymi_server.telephony.carriers.asking import new_client
from rymi_server.telephony.connections import Connections


def connections_of(settings: Settings, clock: Clock) -> Connections:
    """Whoever asked for it closes it."""
    seal = Seal.from_text(settings.required_secret())
    return Connections(new_client(), settings.carrier_hosts(), settings.carrier_limit_list(), seal, clock)

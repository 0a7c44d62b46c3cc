"""The numbers of a process's database pool."""

from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy.pool import QueuePool

from rymi_server.foundation.database import Database


def measure_pool(registry: CollectorRegistry, database: Database) -> None:
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    in_use = Gauge("rymi_database_connections_in_use", "Connections that somebody works on.", registry=registry)
    in_use.set_function(pool.checkedout)
    most = Gauge("rymi_database_connections_most", "Connections that this process may have.", registry=registry)
    most.set(pool.size())

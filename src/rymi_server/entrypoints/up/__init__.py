"""`rymi up`: PostgreSQL and every process of ours on one machine, started, watched, and stopped together."""

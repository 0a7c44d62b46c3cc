"""Work for later, on BullMQ over PostgreSQL. No other package knows BullMQ."""

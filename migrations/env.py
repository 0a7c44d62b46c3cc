"""Alembic's entry: `rymi migrate` hands over an open connection; nothing is read from a configuration file."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()

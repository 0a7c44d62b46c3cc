"""When an agent has told every line of its call, which may be long before its recording lies in the storage.

Whoever watches the call is woken by it, and by the end of the agent's run.
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table call_agents add column said_all_at timestamptz")
    op.execute("""
        create function tell_watchers_of_last_words() returns trigger language plpgsql as $$
        begin
            perform pg_notify('rymi_live', new.call_id::text);
            return null;
        end $$
    """)
    op.execute("""
        create trigger tell_of_last_words after update of said_all_at, closed_at on call_agents for each row
            when (old.said_all_at is distinct from new.said_all_at or old.closed_at is distinct from new.closed_at)
            execute function tell_watchers_of_last_words()
    """)


def downgrade() -> None:
    op.execute("drop trigger tell_of_last_words on call_agents")
    op.execute("drop function tell_watchers_of_last_words")
    op.execute("alter table call_agents drop column said_all_at")

"""Calls that were told of while their recording was still being made: found again until it is."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index post_call_unrecorded on post_call_progress (done_at) where recorded_at is null")


def downgrade() -> None:
    op.execute("drop index post_call_unrecorded")

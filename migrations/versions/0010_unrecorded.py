"""Finds calls that were told of while their recording was still being made, and pieces that turned up lately."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index post_call_unrecorded on post_call_progress (done_at) where recorded_at is null")
    op.execute("create index recording_segments_reported on recording_segments (reported_at)")


def downgrade() -> None:
    op.execute("drop index recording_segments_reported")
    op.execute("drop index post_call_unrecorded")

"""The number under which a line was told, which stays when the transcript is put in the order in which lines began.

Live streams are read, and taken up again, by it. Nothing is noted for the lines of earlier calls, and of processes of
the version before: they count as told in the order that they have.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table transcript_entries add column told integer")


def downgrade() -> None:
    op.execute("alter table transcript_entries drop column told")

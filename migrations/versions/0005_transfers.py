"""Legs that were handed over to another phone."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # From then on the carrier's call is no longer ours to end.
    op.execute("alter table telephony_legs add column transferred_to text")


def downgrade() -> None:
    op.execute("alter table telephony_legs drop column transferred_to")

"""Requests of carriers that are taken once."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create unlogged table carrier_requests (
            connection_id text not null,
            name          text not null,
            seen_at       timestamptz not null,
            primary key (connection_id, name)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table carrier_requests")

"""The number under which a line was told, which stays when the transcript is put in the order in which lines began.

Live streams are read, and taken up again, by it.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # How the lines of earlier calls were told is not known any more: they count as told in the order that they have.
    op.execute("""
        alter table transcript_entries add column told integer;
        update transcript_entries set told = sequence;
        alter table transcript_entries
            alter column told set not null,
            add constraint transcript_entries_as_told unique (call_id, told);
    """)


def downgrade() -> None:
    op.execute("alter table transcript_entries drop column told")

"""The credit and the place of new calls are taken by a function, within the statement that writes them."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Callers of one tenant queue for its turn: many who wait for one row are all woken by each commit, and are served
    # in no order. A function that may change something sees at every statement what was committed before it.
    op.execute("""
        create function take_places(
            of_tenant uuid, for_calls uuid[], each numeric, most_live integer, at timestamptz,
            out granted boolean, out affordable boolean, out available numeric
        ) language plpgsql as $$
        declare
            needed numeric := each * cardinality(for_calls);
        begin
            perform pg_advisory_xact_lock(hashtextextended('credit:' || of_tenant::text, 0));
            select balance - held into strict available from credit_accounts where tenant_id = of_tenant for update;
            affordable := available >= needed;
            granted := affordable and (
                most_live is null
                or cardinality(for_calls)
                    + (select count(*) from calls where tenant_id = of_tenant and ended_at is null) <= most_live
            );
            if granted then
                update credit_accounts set held = held + needed where tenant_id = of_tenant;
                insert into credit_holds (call_id, tenant_id, amount, created_at)
                    select call, of_tenant, each, at from unnest(for_calls) as call;
            end if;
        end
        $$
    """)


def downgrade() -> None:
    op.execute("drop function take_places")

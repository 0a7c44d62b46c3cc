"""The currency of a carrier's price, several alert thresholds for an account, and where a tenant is."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Prices told before now are in dollars, but for Vonage, whose accounts are kept in euros.
    # What an owner was told of a low balance is taken over as a threshold at that balance.
    op.execute("""
        alter table telephony_legs add column cost_currency text;
        update telephony_legs set cost_currency = case provider when 'vonage' then 'EUR' else 'USD' end
        where cost is not null;

        alter table credit_accounts
            add column alert_thresholds numeric(18, 6)[],
            add column low_balance_pct numeric(5, 2),
            add column told_below numeric(18, 6);
        update credit_accounts set
            alert_thresholds = case when low_balance_usd is not null then array[low_balance_usd] end,
            told_below = case told when 'depleted' then 0 when 'low' then greatest(balance, 0) end;
        alter table credit_accounts drop column low_balance_usd, drop column told;

        alter table tenants add column time_zone text;
    """)


def downgrade() -> None:
    op.execute("""
        alter table tenants drop column time_zone;
        alter table credit_accounts add column told text, add column low_balance_usd numeric(18, 6);
        update credit_accounts set
            low_balance_usd = alert_thresholds[1],
            told = case when told_below = 0 then 'depleted' when told_below > 0 then 'low' end;
        alter table credit_accounts
            drop column alert_thresholds, drop column low_balance_pct, drop column told_below;
        alter table telephony_legs drop column cost_currency;
    """)

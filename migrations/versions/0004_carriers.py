"""Connected carriers, what legs are told by them, and how fast each may be dialed."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
create table carrier_connections (
    id                 text primary key,
    tenant_id          uuid not null references tenants,
    provider           text not null,
    account_id         text not null,
    account_name       text not null,
    account_country    text,
    is_trial           boolean not null,
    -- Empty once the connection is over and nothing needs it any more.
    sealed_credentials bytea,
    -- The public address that the carrier was told; after a change it is told again.
    provisioned_for    text not null,
    calls_per_second   numeric(9, 3),
    concurrent_calls   integer,
    created_at         timestamptz not null,
    disconnected_at    timestamptz,
    released_at        timestamptz
);
create unique index carrier_connections_active on carrier_connections (tenant_id) where disconnected_at is null;
create index carrier_connections_to_release on carrier_connections (disconnected_at)
    where disconnected_at is not null and sealed_credentials is not null;

-- Numbers as they were last seen at the carrier. Which of them are ours to answer stands in `phone_numbers`.
create table carrier_numbers (
    id             text primary key,
    connection_id  text not null,
    tenant_id      uuid not null,
    provider       text not null,
    number         text not null,
    reference      text not null,
    country        text,
    status         text not null,
    -- Where its calls went before they came to us, until they go there again.
    routing_before jsonb,
    -- The address that its calls go to now; null while they do not come to us.
    routed_to      text,
    routing_error  text,
    seen_at        timestamptz not null,
    unique (connection_id, number)
);
create index carrier_numbers_of_tenant on carrier_numbers (tenant_id, number);

alter table telephony_legs
    add column connection_id     text,
    add column account           text,
    add column region_url        text,
    add column answered_by       text,
    add column cause             text,
    add column attempts          integer not null default 0,
    add column dial_at           timestamptz,
    add column held_until        timestamptz,
    add column heard_at          timestamptz,
    add column answered_at       timestamptz,
    add column bridged_at        timestamptz,
    add column media_ended_at    timestamptz,
    add column media_offered_at  timestamptz,
    add column media_uses        integer not null default 0,
    add column media_resumed     boolean not null default false,
    add column price_looks       integer not null default 0;
create index telephony_legs_on_account on telephony_legs (account) where ended_at is null and claimed_at is not null;
create index telephony_legs_unpriced on telephony_legs (ended_at) where cost is null and bill_duration > 0;

-- When each carrier account may be dialed next. Losing a row in a crash costs one interval.
create unlogged table dial_pace (
    account     text primary key,
    next_at     timestamptz not null,
    promised_at timestamptz not null
);

-- The hours that a tenant's calls go out in, by the clock of whoever is called.
create table calling_hours (
    tenant_id    uuid primary key references tenants,
    opens_minute  integer not null check (opens_minute between 0 and 1439),
    closes_minute integer not null check (closes_minute between 1 and 1440),
    weekdays      integer[] not null
);
"""


def upgrade() -> None:
    op.execute(TABLES)

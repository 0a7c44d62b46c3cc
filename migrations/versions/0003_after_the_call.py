"""What comes after a call: its progress, deliveries of webhooks, measured quality, retention of recordings."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AFTER_THE_CALL = """
-- How far each ended call has come. `done_at` is set once everything has been told.
create table post_call_progress (
    call_id      uuid primary key references calls on delete cascade,
    tenant_id    uuid not null,
    begun_at     timestamptz not null,
    finalized_at timestamptz,
    recorded_at  timestamptz,
    settled_at   timestamptz,
    analysed_at  timestamptz,
    done_at      timestamptz
);
create index post_call_unfinished on post_call_progress (begun_at) where done_at is null;
-- A call that has ended and of which the above knows nothing was forgotten in a crash, or ended before this version.
create index calls_ended on calls (ended_at) where ended_at is not null;

-- What the run was asked for, and where its findings come from.
alter table call_intelligence add column config jsonb not null default '{}';
alter table call_intelligence add column details jsonb not null default '{}';

alter table recordings add column deleted_at timestamptz;
alter table recordings add constraint one_recording_a_call unique (call_id);
create index recordings_kept on recordings (created_at) where deleted_at is null;
alter table tenants add column recordings_kept_days integer check (recordings_kept_days > 0);

create table call_quality (
    call_id     uuid primary key references calls on delete cascade,
    quality     jsonb not null,
    measured_at timestamptz not null
);

-- What its owner has been told of the balance since it was last well, and below what it is called low (else a setting).
alter table credit_accounts add column told text;
alter table credit_accounts add column low_balance_usd numeric(18, 6);
"""

WEBHOOKS = """
alter table webhook_endpoints
    add column failures   integer not null default 0,
    add column open_until timestamptz,
    add column alerted_at timestamptz;

-- What an endpoint is told, as it is sent. `subject` is what it is about: of one subject things are told in order.
create table webhook_deliveries (
    id              text primary key,
    sequence        bigint generated always as identity,
    endpoint_id     text not null references webhook_endpoints on delete cascade,
    tenant_id       uuid not null,
    event_id        text not null,
    event           text not null,
    subject         text not null,
    body            text not null,
    status          text not null,
    attempts        integer not null default 0,
    next_attempt_at timestamptz,
    claimed_until   timestamptz,
    claim           text,
    reason          text,
    created_at      timestamptz not null,
    finished_at     timestamptz,
    unique (endpoint_id, event_id)
);
create index webhook_deliveries_due on webhook_deliveries (endpoint_id, next_attempt_at, sequence)
    where status = 'pending';
create index webhook_deliveries_in_order on webhook_deliveries (endpoint_id, subject, sequence)
    where status = 'pending';
create index webhook_deliveries_claimed on webhook_deliveries (tenant_id, claimed_until)
    where claimed_until is not null;
create index webhook_deliveries_newest on webhook_deliveries (endpoint_id, sequence desc);
create index webhook_deliveries_by_age on webhook_deliveries (created_at);

create table webhook_attempts (
    id          bigint generated always as identity primary key,
    delivery_id text not null references webhook_deliveries on delete cascade,
    number      integer not null,
    begun_at    timestamptz not null,
    took_ms     integer not null,
    status_code integer,
    reply       text,
    error       text
);
create index webhook_attempts_of_delivery on webhook_attempts (delivery_id, id);
"""


def upgrade() -> None:
    op.execute(AFTER_THE_CALL)
    op.execute(WEBHOOKS)

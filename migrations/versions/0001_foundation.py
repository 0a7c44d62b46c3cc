"""Tenants, keys, agents, numbers, DNC, credits, calls and what a call leaves behind."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANTS_AND_KEYS = """
create table tenants (
    id            uuid primary key,
    name          text not null,
    plan          text not null,
    paused_at     timestamptz,
    paused_reason text,
    created_at    timestamptz not null
);

create table agents (
    id         uuid primary key,
    tenant_id  uuid not null references tenants,
    name       text not null,
    agent_role text not null,
    config     jsonb not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz
);
create index agents_of_tenant on agents (tenant_id, id desc) where deleted_at is null;

create table api_keys (
    id           text primary key,
    tenant_id    uuid not null references tenants,
    digest       bytea not null unique,
    prefix       text not null,
    label        text not null,
    created_at   timestamptz not null,
    last_used_at timestamptz,
    revoked_at   timestamptz
);
create index api_keys_of_tenant on api_keys (tenant_id, id desc);

create table publishable_keys (
    id                  text primary key,
    tenant_id           uuid not null references tenants,
    agent_id            uuid not null references agents,
    digest              bytea not null unique,
    prefix              text not null,
    label               text not null,
    allowed_channels    text[] not null,
    audience            text not null,
    default_from_number text,
    created_at          timestamptz not null,
    last_used_at        timestamptz,
    revoked_at          timestamptz
);
create index publishable_keys_of_tenant on publishable_keys (tenant_id, id desc) where revoked_at is null;
"""

NUMBERS_AND_DNC = """
create table phone_numbers (
    id         text primary key,
    tenant_id  uuid not null references tenants,
    number     text not null unique,
    agent_id   uuid references agents,
    provider   text,
    status     text not null default 'active',
    created_at timestamptz not null
);
create index phone_numbers_of_tenant on phone_numbers (tenant_id, id);
create index phone_numbers_of_agent on phone_numbers (agent_id);

create table dnc_entries (
    tenant_id  uuid not null references tenants,
    phone      text not null,
    reason     text not null,
    opt_out_at timestamptz not null,
    primary key (tenant_id, phone)
);
create index dnc_entries_newest on dnc_entries (tenant_id, opt_out_at desc, phone);
"""

CREDITS = """
create table credit_accounts (
    tenant_id uuid primary key references tenants,
    balance   numeric(18, 6) not null default 0,
    held      numeric(18, 6) not null default 0 check (held >= 0)
);

create table credit_holds (
    call_id    uuid primary key,
    tenant_id  uuid not null references tenants,
    amount     numeric(18, 6) not null check (amount >= 0),
    created_at timestamptz not null
);

-- The ledger: one row a movement, never changed. `reference` makes a movement happen once.
create table credit_entries (
    id            bigint generated always as identity primary key,
    tenant_id     uuid not null references tenants,
    kind          text not null,
    amount        numeric(18, 6) not null,
    balance_after numeric(18, 6) not null,
    call_id       uuid,
    reference     text not null,
    note          text not null default '',
    created_at    timestamptz not null,
    unique (tenant_id, reference)
);
create index credit_entries_newest on credit_entries (tenant_id, created_at desc, id desc);
"""

CALLS = """
create table calls (
    id                  uuid primary key,
    tenant_id           uuid not null references tenants,
    agent_id            uuid not null references agents,
    agent               jsonb not null,
    direction           text not null,
    status              text not null,
    end_reason          text,
    metadata            jsonb not null,
    variables           jsonb not null,
    post_call           jsonb not null,
    batch_id            text,
    rate_per_minute     numeric(18, 6) not null,
    bill_duration       integer,
    total_cost          numeric(18, 6),
    intelligence_status text not null default 'not_started',
    created_at          timestamptz not null,
    started_at          timestamptz,
    ended_at            timestamptz
);
create index calls_of_tenant on calls (tenant_id, id desc);
create index calls_of_tenant_by_status on calls (tenant_id, status, id desc);
create index calls_of_agent on calls (agent_id, id desc);
create index calls_of_batch on calls (tenant_id, batch_id, id desc) where batch_id is not null;
create index calls_live on calls (tenant_id) where ended_at is null;

create table call_participants (
    id           uuid primary key,
    call_id      uuid not null references calls on delete cascade,
    tenant_id    uuid not null,
    role         text not null,
    transport    text not null,
    identity     text not null,
    status       text not null,
    metadata     jsonb not null,
    leave_reason text,
    created_at   timestamptz not null,
    joined_at    timestamptz,
    left_at      timestamptz
);
create index call_participants_of_call on call_participants (call_id, id);
create index call_participants_joining on call_participants (created_at) where status = 'joining';
-- A room tells its browsers apart by identity. A phone number may be called again once its first leg is over.
create unique index call_participants_web_identity on call_participants (call_id, identity) where transport = 'webrtc';

create table telephony_legs (
    id               text primary key,
    call_id          uuid not null references calls on delete cascade,
    participant_id   uuid not null references call_participants on delete cascade,
    tenant_id        uuid not null,
    provider         text,
    provider_call_id text,
    direction        text not null,
    status           text not null,
    reason           text,
    from_number      text,
    to_number        text not null,
    bill_duration    integer,
    cost             numeric(18, 6),
    claimed_at       timestamptz,
    created_at       timestamptz not null,
    ended_at         timestamptz
);
create index telephony_legs_of_call on telephony_legs (call_id);
create index telephony_legs_queued on telephony_legs (created_at) where status = 'queued';
create unique index telephony_legs_at_carrier on telephony_legs (provider, provider_call_id)
    where provider_call_id is not null;
"""

WHAT_A_CALL_LEAVES = """
create table call_events (
    seq        bigint generated always as identity primary key,
    id         text not null,
    call_id    uuid not null references calls on delete cascade,
    level      text not null,
    source     text not null,
    message    text not null,
    created_at timestamptz not null
);
create index call_events_of_call on call_events (call_id, seq);

create table transcript_entries (
    call_id        uuid not null references calls on delete cascade,
    sequence       integer not null,
    participant_id uuid,
    identity       text,
    speaker        text not null,
    text           text not null,
    started_at_ms  integer,
    ended_at_ms    integer,
    is_final       boolean not null,
    source         text not null,
    primary key (call_id, sequence)
);

create table recordings (
    id                    text primary key,
    call_id               uuid not null references calls on delete cascade,
    status                text not null,
    format                text not null,
    provider_recording_id text,
    metadata              jsonb not null,
    created_at            timestamptz not null
);
create index recordings_of_call on recordings (call_id, created_at desc);

-- One row a run of the analysis; the newest is what is shown.
create table call_intelligence (
    call_id         uuid not null references calls on delete cascade,
    revision        integer not null,
    status          text not null,
    summary         text,
    sentiment       text,
    structured_data jsonb,
    evaluation      jsonb,
    errors          jsonb not null default '[]',
    created_at      timestamptz not null,
    completed_at    timestamptz,
    primary key (call_id, revision)
);

create table webhook_endpoints (
    id            text primary key,
    tenant_id     uuid not null references tenants,
    url           text not null,
    events        text[] not null,
    sealed_secret bytea not null,
    alert_email   text,
    created_at    timestamptz not null
);
create index webhook_endpoints_of_tenant on webhook_endpoints (tenant_id, id desc);
"""

EDGE = """
create table idempotency_keys (
    tenant_id  uuid not null references tenants,
    key        text not null,
    request    bytea not null,
    status     integer not null,
    answer     bytea not null,
    created_at timestamptz not null,
    primary key (tenant_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Counters of a minute. Losing them in a crash lets somebody ask a little more often, once.
create unlogged table rate_windows (
    subject      text not null,
    window_start timestamptz not null,
    used         integer not null,
    primary key (subject, window_start)
);
"""

# `total` stands in every page of every list of calls, so it must not cost a count of a million rows. Changes are
# appended (two writers never wait for each other) and folded together from time to time.
TALLY = """
create table call_tally (
    tenant_id uuid not null,
    agent_id  uuid not null,
    status    text not null,
    change    bigint not null
);
create index call_tally_of_tenant on call_tally (tenant_id, agent_id, status) include (change);

create function tally_new_calls() returns trigger language plpgsql as $$
begin
    insert into call_tally select tenant_id, agent_id, status, count(*) from added group by 1, 2, 3;
    return null;
end $$;

create function tally_changed_calls() returns trigger language plpgsql as $$
begin
    insert into call_tally
    select tenant_id, agent_id, status, sum(change) from (
        select b.tenant_id, b.agent_id, b.status, -1 as change
        from before b join after a using (id) where b.status <> a.status
        union all
        select a.tenant_id, a.agent_id, a.status, 1
        from before b join after a using (id) where b.status <> a.status
    ) as changes group by 1, 2, 3;
    return null;
end $$;

create function tally_removed_calls() returns trigger language plpgsql as $$
begin
    insert into call_tally select tenant_id, agent_id, status, -count(*) from removed group by 1, 2, 3;
    return null;
end $$;

create trigger tally_insert after insert on calls referencing new table as added
    for each statement execute function tally_new_calls();
create trigger tally_update after update on calls referencing old table as before new table as after
    for each statement execute function tally_changed_calls();
create trigger tally_delete after delete on calls referencing old table as removed
    for each statement execute function tally_removed_calls();
"""


def upgrade() -> None:
    for part in (TENANTS_AND_KEYS, NUMBERS_AND_DNC, CREDITS, CALLS, WHAT_A_CALL_LEAVES, EDGE, TALLY):
        op.execute(part)

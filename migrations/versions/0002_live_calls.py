"""What a live call needs: reports of agents, orders to them, notices, turns, and word to whoever watches."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
alter table calls add column clock_started_at timestamptz;
alter table transcript_entries add column segment_id text;

-- One row a run: an agent process that was sent into a call. `accepted` is the last report of it that is kept.
create table call_agents (
    call_id        uuid not null references calls on delete cascade,
    run            text not null,
    number         integer not null,
    participant_id uuid,
    dispatch_id    text,
    dispatched_at  timestamptz,
    heard_at       timestamptz,
    accepted       integer not null default -1,
    obeyed         integer not null default 0,
    memory         jsonb,
    missed         boolean not null default false,
    lost_at        timestamptz,
    closed_at      timestamptz,
    created_at     timestamptz not null,
    primary key (call_id, run)
);
create index call_agents_of_participant on call_agents (participant_id);

create table agent_orders (
    call_id        uuid not null references calls on delete cascade,
    number         integer not null,
    kind           text not null,
    text           text not null,
    reason         text not null,
    participant_id uuid,
    created_at     timestamptz not null,
    primary key (call_id, number)
);

create table call_turns (
    call_id              uuid not null references calls on delete cascade,
    run                  text not null,
    turn                 integer not null,
    participant_id       uuid,
    mode                 text not null,
    engine               text not null,
    fallback             boolean not null,
    started_at_ms        integer not null,
    speech_ended_at_ms   integer not null,
    decided_at_ms        integer not null,
    end_reason           text not null,
    answer_pushed_at_ms  integer,
    answer_heard_at_ms   integer,
    interrupted_at_ms    integer,
    silent_at_ms         integer,
    parts                jsonb not null,
    trace                jsonb not null,
    primary key (call_id, run, turn)
);

-- Finished pieces of a recording, as they lie in the storage.
create table recording_segments (
    call_id       uuid not null references calls on delete cascade,
    key           text not null,
    started_at_ms integer not null,
    duration_ms   integer not null,
    tracks        jsonb not null,
    peaks         jsonb not null,
    reported_at   timestamptz not null,
    primary key (call_id, key)
);

-- LiveKit's name for each stay of a participant in a room: a stay that ended late must not end the next one.
create table room_stays (
    participant_id uuid primary key references call_participants on delete cascade,
    present_sid    text,
    left_sid       text
);

-- Notices that were heard. LiveKit sends one again until it is answered.
create table livekit_notices (
    id          text primary key,
    received_at timestamptz not null
);
create index livekit_notices_by_age on livekit_notices (received_at);

-- API processes that are here. Lost in a crash, as they are themselves.
create unlogged table api_presences (
    id         text primary key,
    started_at timestamptz not null,
    seen_at    timestamptz not null
);

create index calls_in_progress on calls (id) where status = 'in_progress';
"""

# Whoever watches a call is woken by its id and reads the tables, so a change can come from anywhere.
WATCHING = """
create function tell_watchers_of_call() returns trigger language plpgsql as $$
begin
    perform pg_notify('rymi_live', call_id::text) from (select distinct call_id from changed) as each_call;
    return null;
end $$;

create function tell_watchers_of_status() returns trigger language plpgsql as $$
begin
    perform pg_notify('rymi_live', after.id::text) from before join after using (id)
    where before.status <> after.status;
    return null;
end $$;

create trigger tell_of_events after insert on call_events referencing new table as changed
    for each statement execute function tell_watchers_of_call();
create trigger tell_of_lines after insert on transcript_entries referencing new table as changed
    for each statement execute function tell_watchers_of_call();
create trigger tell_of_participants after update on call_participants referencing new table as changed
    for each statement execute function tell_watchers_of_call();
create trigger tell_of_status after update on calls referencing old table as before new table as after
    for each statement execute function tell_watchers_of_status();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(WATCHING)

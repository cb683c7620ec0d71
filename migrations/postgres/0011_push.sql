-- Web Push: where a browser takes notifications.

-- It belongs to a browser's session, whose account and links decide what it is told, and ends with it.
create table push_subscriptions (
    id uuid not null,
    session_id uuid not null,
    -- A secret address of the browser's push service.
    endpoint text not null,
    -- The browser's keys, with which a notification is encrypted (RFC 8291).
    public_key bytea not null,
    auth_secret bytea not null,
    -- The language of the page where the person asked for notifications.
    language text not null,
    created_at timestamptz not null,
    constraint push_subscriptions_pk primary key (id),
    -- A browser has one: another person in it takes the place of the one before.
    constraint push_subscriptions_endpoint_unique unique (endpoint),
    constraint push_subscriptions_session_fk foreign key (session_id) references login_sessions (id) on delete cascade
);

create index push_subscriptions_by_session on push_subscriptions (session_id, id);

grant select, insert, update, delete on push_subscriptions to bespoken_app;
alter table push_subscriptions enable row level security;
alter table push_subscriptions force row level security;
create policy system on push_subscriptions to bespoken_app using ((select acting_kind()) = 'system');
create policy eraser on push_subscriptions to bespoken_app using ((select acting_kind()) = 'eraser');

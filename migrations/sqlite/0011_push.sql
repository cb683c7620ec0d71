-- Web Push: where a browser takes notifications.

-- It belongs to a browser's session, whose account and links decide what it is told, and ends with it.
create table push_subscriptions (
    id blob not null,
    session_id blob not null,
    -- A secret address of the browser's push service.
    endpoint text not null,
    -- The browser's keys, with which a notification is encrypted (RFC 8291).
    public_key blob not null,
    auth_secret blob not null,
    -- The language of the page where the person asked for notifications.
    language text not null,
    created_at_ms integer not null,
    constraint push_subscriptions_pk primary key (id),
    -- A browser has one: another person in it takes the place of the one before.
    constraint push_subscriptions_endpoint_unique unique (endpoint),
    constraint push_subscriptions_session_fk foreign key (session_id) references login_sessions (id) on delete cascade
) strict;

create index push_subscriptions_by_session on push_subscriptions (session_id, id);

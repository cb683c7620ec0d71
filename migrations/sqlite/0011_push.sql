-- Notifications: where a browser takes them (Web Push), and e-mail to absent people.

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

-- E-mail to absent people: what was considered for it, so that one node sends it once.
create table mail_digests (
    conversation_id blob not null,
    -- The messages up to this one need no e-mail any more.
    seq integer not null,
    -- The customer side wants no further ones.
    is_unsubscribed integer not null,
    constraint mail_digests_pk primary key (conversation_id),
    constraint mail_digests_conversation_fk foreign key (conversation_id) references conversations (id) on delete cascade
) strict, without rowid;

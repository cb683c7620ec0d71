-- Ids are UUIDs of 16 bytes, secrets SHA-256 hashes of 32 bytes, times milliseconds since 1970 UTC.

create table meta (
    only_row integer not null,
    epoch blob not null,
    setup_secret_hash blob,
    constraint meta_pk primary key (only_row),
    constraint meta_one_row check (only_row = 1)
) strict;

create table users (
    id blob not null,
    email text not null,
    name text not null,
    role text not null,
    password_hash text not null,
    created_at_ms integer not null,
    constraint users_pk primary key (id),
    constraint users_email_unique unique (email),
    constraint users_role check (role in ('admin', 'customer'))
) strict;

-- Is there an admin? Asked at every start and by the setup page.
create index users_by_role on users (role);

create table login_sessions (
    id blob not null,
    secret_hash blob not null,
    user_id blob,
    created_at_ms integer not null,
    last_seen_at_ms integer not null,
    expires_at_ms integer not null,
    constraint login_sessions_pk primary key (id),
    constraint login_sessions_secret_unique unique (secret_hash),
    constraint login_sessions_user_fk foreign key (user_id) references users (id) on delete cascade
) strict;

create index login_sessions_by_user on login_sessions (user_id);
create index login_sessions_by_expiry on login_sessions (expires_at_ms);

create table sign_in_links (
    secret_hash blob not null,
    user_id blob not null,
    created_at_ms integer not null,
    expires_at_ms integer not null,
    constraint sign_in_links_pk primary key (secret_hash),
    constraint sign_in_links_user_fk foreign key (user_id) references users (id) on delete cascade
) strict;

create index sign_in_links_by_user on sign_in_links (user_id);

create table api_tokens (
    id blob not null,
    secret_hash blob not null,
    user_id blob not null,
    created_at_ms integer not null,
    revoked_at_ms integer,
    constraint api_tokens_pk primary key (id),
    constraint api_tokens_secret_unique unique (secret_hash),
    constraint api_tokens_user_fk foreign key (user_id) references users (id) on delete cascade
) strict;

create index api_tokens_by_user on api_tokens (user_id);

create table conversations (
    id blob not null,
    kind text not null,
    request_id blob,
    status text not null,
    customer_name text not null,
    customer_email text,
    -- The owner, once there is an account.
    customer_id blob,
    -- Who the customer side is in this conversation. Stays the same when a guest gets an account.
    customer_participant_id blob not null,
    -- JSON, as the opener gave it.
    metadata text not null,
    assignee_id blob,
    head integer not null,
    last_seq integer not null,
    last_message text,
    -- What search looks at: lower case, because SQLite itself knows only the case of ASCII.
    customer_folded text not null,
    last_message_folded text,
    created_at_ms integer not null,
    -- Moves when a message is posted and when the conversation is opened, closed, reopened or assigned.
    updated_at_ms integer not null,
    closed_at_ms integer,
    closed_by_name text,
    constraint conversations_pk primary key (id),
    constraint conversations_request_unique unique (request_id),
    constraint conversations_customer_fk foreign key (customer_id) references users (id),
    constraint conversations_assignee_fk foreign key (assignee_id) references users (id),
    constraint conversations_kind check (kind in ('session', 'request')),
    constraint conversations_status check (status in ('open', 'closed')),
    constraint conversations_request check ((kind = 'request') = (request_id is not null)),
    constraint conversations_closed check ((status = 'closed') = (closed_at_ms is not null)),
    constraint conversations_counters check (head >= 1 and last_seq >= 0 and last_seq < head)
) strict;

create index conversations_by_status on conversations (status, updated_at_ms, id);
create index conversations_by_activity on conversations (updated_at_ms, id);
create index conversations_by_customer on conversations (customer_id) where customer_id is not null;
create index conversations_by_assignee on conversations (assignee_id) where assignee_id is not null;

create table links (
    id blob not null,
    conversation_id blob not null,
    secret_hash blob not null,
    created_at_ms integer not null,
    expires_at_ms integer,
    revoked_at_ms integer,
    constraint links_pk primary key (id),
    constraint links_secret_unique unique (secret_hash),
    constraint links_conversation_fk foreign key (conversation_id) references conversations (id)
) strict;

create index links_by_conversation on links (conversation_id);
-- At most one link of a conversation is alive.
create unique index links_one_alive on links (conversation_id) where revoked_at_ms is null;

create table session_links (
    session_id blob not null,
    link_id blob not null,
    constraint session_links_pk primary key (session_id, link_id),
    constraint session_links_session_fk foreign key (session_id) references login_sessions (id) on delete cascade,
    constraint session_links_link_fk foreign key (link_id) references links (id) on delete cascade
) strict, without rowid;

create index session_links_by_link on session_links (link_id);

create table messages (
    id blob not null,
    conversation_id blob not null,
    seq integer not null,
    rev integer not null,
    sender_type text not null,
    sender_id blob not null,
    sender_name text not null,
    client_id blob,
    created_at_ms integer not null,
    edited_at_ms integer,
    deleted_at_ms integer,
    -- Last, so that what only counts or sorts does not read long contents.
    content text not null,
    constraint messages_pk primary key (id),
    constraint messages_seq_unique unique (conversation_id, seq),
    constraint messages_client_id_unique unique (conversation_id, sender_id, client_id),
    constraint messages_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint messages_sender_type check (sender_type in ('admin', 'customer')),
    constraint messages_counters check (seq >= 1 and rev > seq),
    constraint messages_deleted_is_empty check (deleted_at_ms is null or content = '')
) strict;

create unique index messages_rev_unique on messages (conversation_id, rev);
create index messages_deleted on messages (conversation_id, seq) where deleted_at_ms is not null;

create table participants (
    conversation_id blob not null,
    participant_id blob not null,
    kind text not null,
    name text not null,
    last_seen_at_ms integer,
    constraint participants_pk primary key (conversation_id, participant_id),
    constraint participants_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint participants_kind check (kind in ('admin', 'customer', 'guest'))
) strict, without rowid;

create table receipts (
    conversation_id blob not null,
    participant_id blob not null,
    seq integer not null,
    read_at_ms integer not null,
    constraint receipts_pk primary key (conversation_id, participant_id),
    constraint receipts_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint receipts_seq check (seq >= 1)
) strict, without rowid;

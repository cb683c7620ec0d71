-- Custom requests, files, search, and what accounts need beside a password.

-- What the browser called itself at sign-in, so that people know their sessions apart.
alter table login_sessions add column user_agent text;
alter table api_tokens add column name text;

create table password_resets (
    secret_hash blob not null,
    user_id blob not null,
    created_at_ms integer not null,
    expires_at_ms integer not null,
    constraint password_resets_pk primary key (secret_hash),
    -- A new one takes the place of the one before.
    constraint password_resets_user_unique unique (user_id),
    constraint password_resets_user_fk foreign key (user_id) references users (id) on delete cascade
) strict;

create table invites (
    id blob not null,
    secret_hash blob not null,
    invited_by blob not null,
    created_at_ms integer not null,
    expires_at_ms integer not null,
    constraint invites_pk primary key (id),
    constraint invites_secret_unique unique (secret_hash),
    constraint invites_invited_by_fk foreign key (invited_by) references users (id) on delete cascade
) strict;

create index invites_by_inviter on invites (invited_by);

create table custom_requests (
    id blob not null,
    customer_id blob not null,
    title text not null,
    description text not null,
    budget_cents integer,
    -- A calendar day, such as 2026-12-24.
    wanted_on text,
    status text not null,
    -- What search looks at, in lower case: title, description, the customer's name and e-mail.
    folded text not null,
    created_at_ms integer not null,
    updated_at_ms integer not null,
    constraint custom_requests_pk primary key (id),
    constraint custom_requests_customer_fk foreign key (customer_id) references users (id),
    constraint custom_requests_status check (status in ('new', 'in_progress', 'done', 'declined')),
    constraint custom_requests_budget check (budget_cents >= 0)
) strict;

create index custom_requests_by_customer on custom_requests (customer_id);
create index custom_requests_by_status on custom_requests (status);

-- Each status that a request has been given after its first.
create table request_changes (
    request_id blob not null,
    -- 1, 2, 3 … in its request.
    number integer not null,
    status text not null,
    changed_by blob not null,
    changed_by_name text not null,
    changed_at_ms integer not null,
    constraint request_changes_pk primary key (request_id, number),
    constraint request_changes_request_fk foreign key (request_id) references custom_requests (id),
    constraint request_changes_status check (status in ('new', 'in_progress', 'done', 'declined'))
) strict, without rowid;

create table attachments (
    id blob not null,
    conversation_id blob not null,
    -- Null until a message brings it along.
    message_id blob,
    uploader_id blob not null,
    name text not null,
    media_type text not null,
    size_bytes integer not null,
    created_at_ms integer not null,
    constraint attachments_pk primary key (id),
    constraint attachments_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint attachments_message_fk foreign key (message_id) references messages (id)
) strict;

create index attachments_by_message on attachments (message_id) where message_id is not null;
create index attachments_by_conversation on attachments (conversation_id);
create index attachments_unsent on attachments (created_at_ms) where message_id is null;

-- Written by the server itself, in the name of whoever did what it tells.
alter table messages add column is_system integer not null default 0;
create index messages_system on messages (conversation_id, sender_id, seq) where is_system;
-- JSON of the attachments, as clients get it; null if there are none.
alter table messages add column attachments text;

-- The words of messages. Keeps no text of its own: `search_id` leads back to the message.
create virtual table message_search using fts5 (
    content,
    content = '',
    contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2'
);

alter table messages add column search_id integer;
update messages set search_id = rowid where deleted_at_ms is null;
insert into message_search (rowid, content) select search_id, content from messages where search_id is not null;
create unique index messages_by_search on messages (search_id) where search_id is not null;

-- Secrets are SHA-256 hashes of 32 bytes. Texts that order a list sort by their bytes, as in Rust.
--
-- Row-level security: the program works as the role bespoken_app, which owns nothing, and says in each transaction who
-- acts. What no policy allows is not there; so whoever forgets to say who acts sees nothing. See docs/security.md.

do $$
declare
    working_as text := current_setting('role');
begin
    if not exists (select from pg_roles where rolname = 'bespoken_app') then
        begin
            create role bespoken_app nologin;
        exception
            -- Made by another database of the same server at this moment.
            when duplicate_object or unique_violation then null;
        end;
    end if;
    -- Whoever made a role may not be in it yet.
    begin
        perform set_config('role', 'bespoken_app', true);
        perform set_config('role', working_as, true);
    exception
        when insufficient_privilege then execute format('grant bespoken_app to %I', current_user);
    end;
    execute format('grant usage on schema %I to bespoken_app', current_schema());
end
$$;

-- Who acts: 'admin', 'customer', 'guest', or 'system' for what the service does for nobody; null or empty if it was not
-- said. Policies call these in a subquery, so that they are asked once for each statement and not for each row.
create function acting_kind() returns text language sql stable parallel safe
    return current_setting('bespoken.actor_kind', true);

-- The account of a customer who acts.
create function acting_customer() returns uuid language sql stable parallel safe
    return case when current_setting('bespoken.actor_kind', true) = 'customer'
                then nullif(current_setting('bespoken.user_id', true), '')::uuid end;

-- The shared links that whoever acts has opened.
create function acting_links() returns uuid[] language sql stable parallel safe
    return nullif(current_setting('bespoken.links', true), '')::uuid[];

create table meta (
    only_row integer not null default 1,
    epoch uuid not null,
    setup_secret_hash bytea,
    constraint meta_pk primary key (only_row),
    constraint meta_one_row check (only_row = 1)
);

grant select, update (setup_secret_hash) on meta to bespoken_app;
grant select on _sqlx_migrations to bespoken_app;

create table users (
    id uuid not null,
    email text not null,
    name text not null,
    role text not null,
    password_hash text not null,
    created_at timestamptz not null,
    constraint users_pk primary key (id),
    constraint users_email_unique unique (email),
    constraint users_role check (role in ('admin', 'customer'))
);

-- Is there an admin? Asked at every start and by the setup page.
create index users_by_role on users (role);

create table login_sessions (
    id uuid not null,
    secret_hash bytea not null,
    user_id uuid,
    created_at timestamptz not null,
    last_seen_at timestamptz not null,
    expires_at timestamptz not null,
    constraint login_sessions_pk primary key (id),
    constraint login_sessions_secret_unique unique (secret_hash),
    constraint login_sessions_user_fk foreign key (user_id) references users (id) on delete cascade
);

create index login_sessions_by_user on login_sessions (user_id);
create index login_sessions_by_expiry on login_sessions (expires_at);

create table sign_in_links (
    secret_hash bytea not null,
    user_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint sign_in_links_pk primary key (secret_hash),
    constraint sign_in_links_user_fk foreign key (user_id) references users (id) on delete cascade
);

create index sign_in_links_by_user on sign_in_links (user_id);

create table api_tokens (
    id uuid not null,
    secret_hash bytea not null,
    user_id uuid not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint api_tokens_pk primary key (id),
    constraint api_tokens_secret_unique unique (secret_hash),
    constraint api_tokens_user_fk foreign key (user_id) references users (id) on delete cascade
);

create index api_tokens_by_user on api_tokens (user_id);

create table conversations (
    id uuid not null,
    kind text not null,
    request_id uuid,
    status text not null,
    customer_name text not null,
    customer_email text,
    -- The owner, once there is an account.
    customer_id uuid,
    -- Who the customer side is in this conversation. Stays the same when a guest gets an account.
    customer_participant_id uuid not null,
    metadata jsonb not null,
    assignee_id uuid,
    head bigint not null,
    last_seq bigint not null,
    last_message text,
    -- What search looks at, in lower case. The program folds it, so that it depends on no locale of the server's.
    customer_folded text not null,
    last_message_folded text,
    created_at timestamptz not null,
    -- Moves when a message is posted and when the conversation is opened, closed, reopened or assigned.
    updated_at timestamptz not null,
    closed_at timestamptz,
    closed_by_name text,
    constraint conversations_pk primary key (id),
    constraint conversations_request_unique unique (request_id),
    constraint conversations_customer_fk foreign key (customer_id) references users (id),
    constraint conversations_assignee_fk foreign key (assignee_id) references users (id),
    constraint conversations_kind check (kind in ('session', 'request')),
    constraint conversations_status check (status in ('open', 'closed')),
    constraint conversations_request check ((kind = 'request') = (request_id is not null)),
    constraint conversations_closed check ((status = 'closed') = (closed_at is not null)),
    constraint conversations_counters check (head >= 1 and last_seq >= 0 and last_seq < head)
);

create index conversations_by_status on conversations (status, updated_at, id);
create index conversations_by_activity on conversations (updated_at, id);
create index conversations_by_customer on conversations (customer_id) where customer_id is not null;
create index conversations_by_assignee on conversations (assignee_id) where assignee_id is not null;

create table links (
    id uuid not null,
    conversation_id uuid not null,
    secret_hash bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    constraint links_pk primary key (id),
    constraint links_secret_unique unique (secret_hash),
    constraint links_conversation_fk foreign key (conversation_id) references conversations (id)
);

create index links_by_conversation on links (conversation_id);
-- At most one link of a conversation is alive.
create unique index links_one_alive on links (conversation_id) where revoked_at is null;

create table session_links (
    session_id uuid not null,
    link_id uuid not null,
    constraint session_links_pk primary key (session_id, link_id),
    constraint session_links_session_fk foreign key (session_id) references login_sessions (id) on delete cascade,
    constraint session_links_link_fk foreign key (link_id) references links (id) on delete cascade
);

create index session_links_by_link on session_links (link_id);

create table messages (
    id uuid not null,
    conversation_id uuid not null,
    seq bigint not null,
    rev bigint not null,
    sender_type text not null,
    sender_id uuid not null,
    sender_name text not null,
    client_id uuid,
    created_at timestamptz not null,
    edited_at timestamptz,
    deleted_at timestamptz,
    content text not null,
    constraint messages_pk primary key (id),
    constraint messages_seq_unique unique (conversation_id, seq),
    constraint messages_rev_unique unique (conversation_id, rev),
    constraint messages_client_id_unique unique (conversation_id, sender_id, client_id),
    constraint messages_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint messages_sender_type check (sender_type in ('admin', 'customer')),
    constraint messages_counters check (seq >= 1 and rev > seq),
    constraint messages_deleted_is_empty check (deleted_at is null or content = '')
);

create index messages_deleted on messages (conversation_id, seq) where deleted_at is not null;

create table participants (
    conversation_id uuid not null,
    participant_id uuid not null,
    kind text not null,
    name text not null,
    last_seen_at timestamptz,
    constraint participants_pk primary key (conversation_id, participant_id),
    constraint participants_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint participants_kind check (kind in ('admin', 'customer', 'guest'))
);

create table receipts (
    conversation_id uuid not null,
    participant_id uuid not null,
    seq bigint not null,
    read_at timestamptz not null,
    constraint receipts_pk primary key (conversation_id, participant_id),
    constraint receipts_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint receipts_seq check (seq >= 1)
);

-- The conversations that the links of whoever acts lead to. Both views see what their reader may see.
create view opened_conversations with (security_invoker = true) as
    select links.conversation_id as id from links
    where links.id = any ((select acting_links())::uuid[])
      and links.revoked_at is null and (links.expires_at is null or links.expires_at > now());

-- All conversations of a customer or guest.
create view own_conversations with (security_invoker = true) as
    select conversations.id from conversations where conversations.customer_id = (select acting_customer())
    union all
    select id from opened_conversations;

grant select on opened_conversations, own_conversations to bespoken_app;

-- What secrets stand for is found before it is known who acts: for the system alone.
grant select, insert, update, delete on login_sessions, session_links, sign_in_links, api_tokens to bespoken_app;

alter table login_sessions enable row level security;
alter table login_sessions force row level security;
create policy system on login_sessions to bespoken_app using ((select acting_kind()) = 'system');

alter table session_links enable row level security;
alter table session_links force row level security;
create policy system on session_links to bespoken_app using ((select acting_kind()) = 'system');

alter table sign_in_links enable row level security;
alter table sign_in_links force row level security;
create policy system on sign_in_links to bespoken_app using ((select acting_kind()) = 'system');

alter table api_tokens enable row level security;
alter table api_tokens force row level security;
create policy system on api_tokens to bespoken_app using ((select acting_kind()) = 'system');

grant select, insert, update on users to bespoken_app;
alter table users enable row level security;
alter table users force row level security;
create policy system on users to bespoken_app using ((select acting_kind()) = 'system');
create policy admins on users for select to bespoken_app using ((select acting_kind()) = 'admin');
create policy themselves on users for select to bespoken_app using (id = (select acting_customer()));

grant select, insert, update on conversations to bespoken_app;
alter table conversations enable row level security;
alter table conversations force row level security;
create policy admins on conversations to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on conversations for select to bespoken_app
    using (customer_id = (select acting_customer()) or id in (select id from opened_conversations));
create policy change_their_own on conversations for update to bespoken_app
    using (customer_id = (select acting_customer()) or id in (select id from opened_conversations));
create policy open_their_own on conversations for insert to bespoken_app
    with check (customer_id = (select acting_customer()) and kind = 'request');
-- Whom a change concerns; adopting a guest's conversations; the customer's name in them.
create policy system on conversations for select to bespoken_app using ((select acting_kind()) = 'system');
create policy system_changes on conversations for update to bespoken_app using ((select acting_kind()) = 'system');

grant select, insert, update on links to bespoken_app;
alter table links enable row level security;
alter table links force row level security;
create policy admins on links to bespoken_app using ((select acting_kind()) = 'admin');
create policy opened on links for select to bespoken_app using (id = any ((select acting_links())::uuid[]));
create policy system on links for select to bespoken_app using ((select acting_kind()) = 'system');

grant select, insert, update on messages to bespoken_app;
alter table messages enable row level security;
alter table messages force row level security;
create policy admins on messages to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on messages to bespoken_app using (conversation_id in (select id from own_conversations));

grant select, insert, update on participants to bespoken_app;
alter table participants enable row level security;
alter table participants force row level security;
create policy admins on participants to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on participants to bespoken_app using (conversation_id in (select id from own_conversations));
-- Notes when somebody left, and that a guest has an account now.
create policy system on participants for select to bespoken_app using ((select acting_kind()) = 'system');
create policy system_changes on participants for update to bespoken_app using ((select acting_kind()) = 'system');

grant select, insert, update on receipts to bespoken_app;
alter table receipts enable row level security;
alter table receipts force row level security;
create policy admins on receipts to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on receipts to bespoken_app using (conversation_id in (select id from own_conversations));

-- The latest messages of a conversation before `before` (all, if null), latest first, each with who its sender is in this
-- conversation now. For a sender with an account that the caller may see, also the e-mail address.
create function messages_with_profiles(conversation uuid, before bigint, most integer)
returns table (
    id uuid, seq bigint, rev bigint, content text, created_at timestamptz, edited_at timestamptz,
    deleted_at timestamptz, sender_id uuid, sender_kind text, sender_name text, sender_email text,
    sender_last_seen_at timestamptz
)
language sql stable security invoker
begin atomic
    select messages.id, messages.seq, messages.rev, messages.content, messages.created_at, messages.edited_at,
           messages.deleted_at, messages.sender_id, participants.kind,
           coalesce(participants.name, messages.sender_name), users.email, participants.last_seen_at
    from messages
    left join participants
        on participants.conversation_id = messages.conversation_id
       and participants.participant_id = messages.sender_id
    left join users on users.id = messages.sender_id
    where messages.conversation_id = conversation and (before is null or messages.seq < before)
    order by messages.seq desc
    limit most;
end;

-- Custom requests, files, search, and what accounts need beside a password.

-- What the browser called itself at sign-in, so that people know their sessions apart.
alter table login_sessions add column user_agent text;
alter table api_tokens add column name text;

create table password_resets (
    secret_hash bytea not null,
    user_id uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint password_resets_pk primary key (secret_hash),
    -- A new one takes the place of the one before.
    constraint password_resets_user_unique unique (user_id),
    constraint password_resets_user_fk foreign key (user_id) references users (id) on delete cascade
);

create table invites (
    id uuid not null,
    secret_hash bytea not null,
    invited_by uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint invites_pk primary key (id),
    constraint invites_secret_unique unique (secret_hash),
    constraint invites_invited_by_fk foreign key (invited_by) references users (id) on delete cascade
);

create index invites_by_inviter on invites (invited_by);

create table custom_requests (
    id uuid not null,
    customer_id uuid not null,
    title text not null,
    description text not null,
    budget_cents bigint,
    -- A calendar day, such as 2026-12-24. As text, because it takes part in no arithmetic and may be of any year.
    wanted_on text collate "C",
    status text not null,
    -- What search looks at, in lower case: title, description, the customer's name and e-mail.
    folded text collate "C" not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    constraint custom_requests_pk primary key (id),
    constraint custom_requests_customer_fk foreign key (customer_id) references users (id),
    constraint custom_requests_status check (status in ('new', 'in_progress', 'done', 'declined')),
    constraint custom_requests_budget check (budget_cents >= 0)
);

create index custom_requests_by_customer on custom_requests (customer_id);
create index custom_requests_by_status on custom_requests (status);

-- Each status that a request has been given after its first.
create table request_changes (
    request_id uuid not null,
    -- 1, 2, 3 … in its request.
    number integer not null,
    status text not null,
    changed_by uuid not null,
    changed_by_name text not null,
    changed_at timestamptz not null,
    constraint request_changes_pk primary key (request_id, number),
    constraint request_changes_request_fk foreign key (request_id) references custom_requests (id),
    constraint request_changes_status check (status in ('new', 'in_progress', 'done', 'declined'))
);

create table attachments (
    id uuid not null,
    conversation_id uuid not null,
    -- Null until a message brings it along.
    message_id uuid,
    -- Null once its message was deleted.
    uploader_id uuid,
    name text not null,
    media_type text not null,
    size_bytes bigint not null,
    created_at timestamptz not null,
    constraint attachments_pk primary key (id),
    constraint attachments_conversation_fk foreign key (conversation_id) references conversations (id),
    constraint attachments_message_fk foreign key (message_id) references messages (id)
);

create index attachments_by_message on attachments (message_id) where message_id is not null;
create index attachments_by_conversation on attachments (conversation_id);
create index attachments_unsent on attachments (created_at) where message_id is null;

-- Written by the server itself, in the name of whoever did what it tells.
alter table messages add column is_system boolean not null default false;
create index messages_system on messages (conversation_id, sender_id, seq) where is_system;
-- The attachments, as clients get them; null if there are none.
alter table messages add column attachments jsonb;

-- The words that search finds a message by, folded by the program; none for deleted messages and the server's own.
alter table messages add column words tsvector not null default '';
create index messages_by_word on messages using gin (words);

grant select, insert, update, delete on password_resets, invites to bespoken_app;

alter table password_resets enable row level security;
alter table password_resets force row level security;
create policy system on password_resets to bespoken_app using ((select acting_kind()) = 'system');

alter table invites enable row level security;
alter table invites force row level security;
create policy system on invites to bespoken_app using ((select acting_kind()) = 'system');

grant select, insert, update on custom_requests to bespoken_app;
alter table custom_requests enable row level security;
alter table custom_requests force row level security;
create policy admins on custom_requests to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on custom_requests to bespoken_app using (customer_id = (select acting_customer()));
-- The customer's name in them.
create policy system on custom_requests for select to bespoken_app using ((select acting_kind()) = 'system');
create policy system_changes on custom_requests for update to bespoken_app using ((select acting_kind()) = 'system');

grant select, insert on request_changes to bespoken_app;
alter table request_changes enable row level security;
alter table request_changes force row level security;
create policy admins on request_changes to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on request_changes for select to bespoken_app
    using (request_id in (select id from custom_requests where customer_id = (select acting_customer())));

grant select, insert, update, delete on attachments to bespoken_app;
alter table attachments enable row level security;
alter table attachments force row level security;
create policy admins on attachments to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on attachments to bespoken_app using (conversation_id in (select id from own_conversations));
-- Tidies up what belongs to no message.
create policy system on attachments for select to bespoken_app
    using ((select acting_kind()) = 'system' and message_id is null);
create policy system_tidies on attachments for delete to bespoken_app
    using ((select acting_kind()) = 'system' and message_id is null);
create policy only_the_system_tidies on attachments as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'system');

-- Admins search all messages, by the index on words. Below a policy PostgreSQL does not use it: it asks an index only with
-- operators that are known to leak nothing before the policy, and `@@` is not. So this function looks into the index as a
-- role of its own, which may read ids and words and nothing else, for admins alone, and gives back ids: reading the
-- messages goes by the policies again.
do $$
declare
    working_as text := current_setting('role');
begin
    if not exists (select from pg_roles where rolname = 'bespoken_search') then
        begin
            create role bespoken_search nologin;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;
    begin
        perform set_config('role', 'bespoken_search', true);
        perform set_config('role', working_as, true);
    exception
        when insufficient_privilege then execute format('grant bespoken_search to %I', current_user);
    end;
    execute format('grant usage, create on schema %I to bespoken_search', current_schema());
end
$$;

create policy search on messages for select to bespoken_search using (true);
grant select (id, words) on messages to bespoken_search;

create function found_messages(query tsquery, before uuid, most bigint) returns setof uuid
language plpgsql stable security definer set search_path from current as $$
begin
    if acting_kind() = 'admin' then
        -- Planned for this query each time: a rare word is looked up, for a common one the latest messages are read.
        return query execute
            'select id from messages where words @@ $1 and ($2 is null or id < $2) order by id desc limit $3'
            using query, before, most;
    end if;
end
$$;

alter function found_messages owner to bespoken_search;
revoke execute on function found_messages from public;
grant execute on function found_messages to bespoken_app;

do $$
begin
    execute format('revoke create on schema %I from bespoken_search', current_schema());
end
$$;

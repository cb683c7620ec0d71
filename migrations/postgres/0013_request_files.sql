-- Files of custom requests, and when its customer last edited a request.

create table request_files (
    id uuid not null,
    request_id uuid not null,
    uploader_id uuid not null,
    name text not null,
    media_type text not null,
    size_bytes bigint not null,
    -- Pixels, as it is shown; null for what is not shown as a picture.
    width bigint,
    height bigint,
    -- SHA-256 of the content: the same file sent twice is stored once.
    digest bytea not null,
    created_at timestamptz not null,
    constraint request_files_pk primary key (id),
    constraint request_files_request_fk foreign key (request_id) references custom_requests (id)
);

create unique index request_files_by_request on request_files (request_id, digest, name);
-- The latest files of a conversation.
create index attachments_by_time on attachments (conversation_id, created_at);
create index request_files_by_uploader on request_files (uploader_id, created_at, size_bytes);

alter table custom_requests add column edited_at timestamptz;

grant select, insert, delete on request_files to bespoken_app;
alter table request_files enable row level security;
alter table request_files force row level security;
create policy admins on request_files to bespoken_app using ((select acting_kind()) = 'admin');
create policy their_own on request_files to bespoken_app
    using (request_id in (select id from custom_requests where customer_id = (select acting_customer())));
create policy eraser on request_files to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on request_files as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

-- A customer can withdraw a request, which its history records.
create policy they_withdraw on request_changes for insert to bespoken_app
    with check (
        changed_by = (select acting_customer()) and status = 'declined'
        and request_id in (select id from custom_requests where customer_id = (select acting_customer()))
    );

-- Files of custom requests, and when its customer last edited a request.

create table request_files (
    id blob not null,
    request_id blob not null,
    uploader_id blob not null,
    name text not null,
    media_type text not null,
    size_bytes integer not null,
    -- Pixels, as it is shown; null for what is not shown as a picture.
    width integer,
    height integer,
    -- SHA-256 of the content: the same file sent twice is stored once.
    digest blob not null,
    created_at_ms integer not null,
    constraint request_files_pk primary key (id),
    constraint request_files_request_fk foreign key (request_id) references custom_requests (id)
) strict;

create unique index request_files_by_request on request_files (request_id, digest, name);
-- The latest files of a conversation.
create index attachments_by_time on attachments (conversation_id, created_at_ms);
create index request_files_by_uploader on request_files (uploader_id, created_at_ms, size_bytes);

alter table custom_requests add column edited_at_ms integer;

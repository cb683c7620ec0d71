-- How large pictures are, and how many bytes of files there are.

-- Pixels, as it is shown; null for what is not shown as a picture, and for what was stored before.
alter table attachments add column width bigint;
alter table attachments add column height bigint;

-- How many bytes have the files that somebody added lately? Those of a conversation? And all of them?
create index attachments_by_uploader on attachments (uploader_id, created_at, size_bytes);
drop index attachments_by_conversation;
create index attachments_by_conversation on attachments (conversation_id, size_bytes);

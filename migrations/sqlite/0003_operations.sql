-- What operators need: old and new programs side by side, files that are sure to go, and word of what was revoked.

-- The number of the first migration that a program must know to work with this schema. A migration that takes something away
-- raises it, once no program that needs the old shape runs any more.
alter table meta add column needs_level integer not null default 3;

-- Files that nobody can have any more and that may still be on the disk.
create table discarded_files (
    id blob not null,
    constraint discarded_files_pk primary key (id)
) strict, without rowid;

insert into discarded_files (id) select id from attachments where message_id is null and created_at_ms = 0;
delete from attachments where message_id is null and created_at_ms = 0;

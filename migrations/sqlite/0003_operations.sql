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

-- What every process has to hear of, also one that did not do it: access that ended, and conversations that were changed as a
-- whole. Read by number; kept for a day.
create table notices (
    number integer not null,
    kind text not null,
    subject_id blob not null,
    -- Of a conversation that is still there.
    rev integer,
    noted_at_ms integer not null,
    constraint notices_pk primary key (number autoincrement),
    constraint notices_kind check (kind in ('session', 'token', 'link', 'user', 'conversation'))
) strict;

create index notices_by_age on notices (noted_at_ms);

-- When its people and words were taken out of it because of its age.
alter table conversations add column anonymised_at_ms integer;

-- Which conversations are about somebody who has no account?
create index conversations_by_email on conversations (customer_email) where customer_email is not null;

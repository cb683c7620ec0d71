-- What operators need: old and new programs side by side, files that are sure to go, and word of what was revoked.

-- The number of the first migration that a program must know to work with this schema. A migration that takes something away
-- raises it, once no program that needs the old shape runs any more.
alter table meta add column needs_level integer not null default 3;

-- The number of the latest notice. Counted here and not by a sequence: whoever notes something holds this row until the
-- transaction ends, so no notice becomes visible after a later one did.
alter table meta add column last_notice bigint not null default 0;
grant update (last_notice) on meta to bespoken_app;

-- Files that nobody can have any more and that may still be on the disk; besides those of deleted messages, which are
-- attachments without a message and an uploader.
create table discarded_files (
    id uuid not null,
    constraint discarded_files_pk primary key (id)
);

-- What every process has to hear of, also one that did not do it: access that ended, and conversations that were changed as a
-- whole. Read by number; kept for a day.
create table notices (
    number bigint not null,
    kind text not null,
    subject_id uuid not null,
    -- Of a conversation that is still there.
    rev bigint,
    noted_at timestamptz not null,
    constraint notices_pk primary key (number),
    constraint notices_kind check (kind in ('session', 'token', 'link', 'user', 'conversation'))
);

create index notices_by_age on notices (noted_at);

-- When its people and words were taken out of it because of its age.
alter table conversations add column anonymised_at timestamptz;

-- Which conversations are about somebody who has no account?
create index conversations_by_email on conversations (customer_email) where customer_email is not null;

grant select, insert, delete on notices, discarded_files to bespoken_app;

alter table notices enable row level security;
alter table notices force row level security;
create policy system on notices to bespoken_app using ((select acting_kind()) in ('system', 'eraser'));

alter table discarded_files enable row level security;
alter table discarded_files force row level security;
create policy system on discarded_files to bespoken_app using ((select acting_kind()) in ('system', 'eraser'));

-- 'eraser' acts where something is taken out because of its age or because a customer asks for it, and nowhere else: it may
-- see and delete all of that, and nobody else deletes any of it.
grant delete on users, conversations, links, messages, participants, receipts, custom_requests, request_changes
    to bespoken_app;

create policy eraser on users to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on users as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on login_sessions to bespoken_app using ((select acting_kind()) = 'eraser');
create policy eraser on session_links to bespoken_app using ((select acting_kind()) = 'eraser');
create policy eraser on sign_in_links to bespoken_app using ((select acting_kind()) = 'eraser');
create policy eraser on api_tokens to bespoken_app using ((select acting_kind()) = 'eraser');
create policy eraser on password_resets to bespoken_app using ((select acting_kind()) = 'eraser');

create policy eraser on conversations to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on conversations as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on links to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on links as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on messages to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on messages as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on participants to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on participants as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on receipts to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on receipts as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on custom_requests to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on custom_requests as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on request_changes to bespoken_app using ((select acting_kind()) = 'eraser');
create policy only_the_eraser_deletes on request_changes as restrictive for delete to bespoken_app
    using ((select acting_kind()) = 'eraser');

create policy eraser on attachments to bespoken_app using ((select acting_kind()) = 'eraser');
drop policy only_the_system_tidies on attachments;
create policy only_the_system_tidies on attachments as restrictive for delete to bespoken_app
    using ((select acting_kind()) in ('system', 'eraser'));

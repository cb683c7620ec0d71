-- An e-mail address counts once its owner has opened a link that was sent there. Until then nothing but that link is sent.

-- The address that was confirmed. It counts while it is the account's: a program that does not know this column and gives the
-- account another address thereby makes it one that was not confirmed.
alter table users add column confirmed_email text;
-- Accounts from before were believed, and have had mail at their addresses: they go on as they were.
alter table users no force row level security;
update users set confirmed_email = email;
alter table users force row level security;

create table email_confirmations (
    secret_hash bytea not null,
    user_id uuid not null,
    -- The account's own address, or the one that is to take its place.
    email text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint email_confirmations_pk primary key (secret_hash),
    -- A new one takes the place of the one before.
    constraint email_confirmations_email_unique unique (user_id, email),
    constraint email_confirmations_user_fk foreign key (user_id) references users (id) on delete cascade
);

grant select, insert, update, delete on email_confirmations to bespoken_app;
alter table email_confirmations enable row level security;
alter table email_confirmations force row level security;
create policy system on email_confirmations to bespoken_app using ((select acting_kind()) = 'system');
create policy eraser on email_confirmations to bespoken_app using ((select acting_kind()) = 'eraser');

-- In a sealed conversation, browsers encrypt the messages with a key that the server does not have. It never changes.
alter table conversations add column is_sealed integer not null default 0 check (is_sealed in (0, 1));

-- In a sealed conversation, browsers encrypt the messages with a key that the server does not have. It never changes.
alter table conversations add column is_sealed boolean not null default false;

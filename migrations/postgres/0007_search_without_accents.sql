-- Customers, requests and accounts are found without regard to accents and to how Unicode composes them. The program folds
-- their texts, and folds anew when it starts what another program wrote.

-- Conversations and requests with lesser ids have been folded as the program folds now; null: none. It leaves a day, in which
-- programs of both kinds may have run side by side.
alter table meta add column folded_before uuid;
grant update (folded_before) on meta to bespoken_app;

-- What a search for accounts looks at. Null where a program wrote it that does not know this.
alter table users add column folded text;
-- Which are those?
create index users_to_fold on users (id) where folded is null;

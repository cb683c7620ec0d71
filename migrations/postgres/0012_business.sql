-- What admins set for the business on /admin/settings, as JSON. Null until the first time.
alter table meta add column business text;
grant update (business) on meta to bespoken_app;

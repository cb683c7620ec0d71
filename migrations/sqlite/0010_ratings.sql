-- The customer side rates a closed conversation.

alter table conversations add column rating_score integer check (rating_score between 1 and 5);
alter table conversations add column rating_comment text;
-- When this score was first given. Null while there is none.
alter table conversations add column rated_at_ms integer;

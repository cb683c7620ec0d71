-- The same client id again is a repeat only if it comes with the same content and files.

-- What tells a repeat once the message was edited or deleted: a digest of what was sent. Null until then, and in messages that
-- were changed before there was this column, or that were emptied by an erasure.
alter table messages add column sent_digest blob;

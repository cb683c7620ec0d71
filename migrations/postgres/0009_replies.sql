-- A message can reply to an earlier one of its conversation.

-- The seq of that message; null if it replies to none.
alter table messages add column reply_to bigint constraint messages_reply_is_later check (reply_to < seq);

-- Which messages reply to this one?
create index messages_by_quoted on messages (conversation_id, reply_to, seq) where reply_to is not null;

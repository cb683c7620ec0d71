-- Chats are found by any part of their customer's name or e-mail address, however many chats there are.

-- What a chat has in the index below. SQLite's own row numbers change when the file is written anew.
alter table conversations add column number integer;
update conversations set number = rowid;
create unique index conversations_by_number on conversations (number);

-- Every three characters in a row of what `customer_folded` has, and not where.
create virtual table customer_search using fts5 (folded, tokenize = 'trigram case_sensitive 1', detail = none);
-- Whose name goes is gone from the index at once, and not when its parts are merged some day.
insert into customer_search (customer_search, rank) values ('secure-delete', 1);
insert into customer_search (rowid, folded) select number, customer_folded from conversations;

create trigger conversations_opened after insert on conversations
begin
    update conversations set number = (select coalesce(max(number), 0) + 1 from conversations) where id = new.id;
    insert into customer_search (rowid, folded) select number, customer_folded from conversations where id = new.id;
end;

create trigger conversations_renamed after update of customer_folded on conversations
begin
    update customer_search set folded = new.customer_folded where rowid = new.number;
end;

create trigger conversations_deleted after delete on conversations
begin
    delete from customer_search where rowid = old.number;
end;

-- Messages are searched by their own index. Programs that do not know this still fill the column; it goes with a later
-- migration, once none of them runs any more.
update conversations set last_message_folded = null;

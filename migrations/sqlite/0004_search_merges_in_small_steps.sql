-- The parts of the index of words are merged by the program, a little with each batch of messages: by itself FTS5 merges
-- hundreds of pages at a time, for which everybody who sends would wait.
insert into message_search (message_search, rank) values ('automerge', 0);

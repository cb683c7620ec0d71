-- Messages are searched by their own index. Programs that do not know this still fill the column; it goes with a later
-- migration, once none of them runs any more.
update conversations set last_message_folded = null;

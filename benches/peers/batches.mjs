// Measures SQLite itself: inserts messages into Bespoken's database, 100 with each commit, for some seconds, and
// prints the number per second.
import { randomBytes } from "node:crypto";
import Database from "better-sqlite3";

const [, , file, seconds] = process.argv;
const database = new Database(file);
database.pragma("journal_mode = wal");
database.pragma("synchronous = full");
// The same as Bespoken's.
database.pragma("cache_size = -32768");
database.pragma("wal_autocheckpoint = 8000");

const rooms = database.prepare("select id, head, last_seq as seq from conversations").all();
const insert = database.prepare(`
  insert into messages (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id, created_at_ms, content)
  values (:id, :room, :seq, :rev, 'admin', :sender, 'Someone', :client, :at, :content)
`);
const sender = randomBytes(16);
const content = "x".repeat(256);

/** Ids as Bespoken makes them: the time comes first. */
function id(at) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(at, 0, 6);
  return bytes;
}

let next = 0;
const batch = database.transaction(() => {
  for (let count = 0; count < 100; count++) {
    const room = rooms[next++ % rooms.length];
    const at = Date.now();
    insert.run({ id: id(at), room: room.id, seq: ++room.seq, rev: ++room.head, sender, client: randomBytes(16), at, content });
  }
});

const began = performance.now();
let stored = 0;
while (performance.now() - began < seconds * 1000) {
  batch.immediate();
  stored += 100;
}
console.log(stored / ((performance.now() - began) / 1000));

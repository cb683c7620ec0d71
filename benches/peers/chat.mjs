// The common part of the compared chat servers: the numbering of messages and their format. With a file they store
// each message durably before they broadcast it, with one commit each; without one, they store nothing.

/** A store of messages. `post` returns the message, or the stored one if its client id was seen. */
export async function open(file) {
  return file ? durable(file) : inMemory();
}

function message(row) {
  return {
    id: row.id,
    conversation_id: row.room,
    seq: row.seq,
    rev: row.seq,
    sender_type: "customer",
    sender_id: row.sender,
    sender_name: "Someone",
    content: row.content,
    client_id: row.client_id,
    created_at: new Date(row.at).toISOString(),
    edited_at: null,
    deleted_at: null,
    attachments: [],
  };
}

function inMemory() {
  const heads = new Map();
  return {
    post({ room, sender, client_id, content }) {
      const seq = (heads.get(room) ?? 0) + 1;
      heads.set(room, seq);
      return message({ id: crypto.randomUUID(), room, seq, sender, client_id, content, at: Date.now() });
    },
  };
}

async function durable(file) {
  const { default: Database } = await import("better-sqlite3");
  const database = new Database(file);
  database.pragma("journal_mode = wal");
  database.pragma("synchronous = full");
  database.exec(`
    create table conversations (id text primary key, head integer not null) without rowid;
    create table messages (
      id text primary key, room text not null, seq integer not null, sender text not null,
      client_id text not null, content text not null, at integer not null,
      unique (room, seq), unique (room, sender, client_id)
    );
  `);
  const next = database.prepare(`
    insert into conversations values (?, 1) on conflict do update set head = head + 1 returning head
  `).pluck();
  const insert = database.prepare("insert into messages values (:id, :room, :seq, :sender, :client_id, :content, :at)");
  const find = database.prepare("select * from messages where room = ? and sender = ? and client_id = ?");
  const post = database.transaction(({ room, sender, client_id, content }) => {
    const stored = find.get(room, sender, client_id);
    if (stored) return stored;
    const row = { id: crypto.randomUUID(), room, seq: next.get(room), sender, client_id, content, at: Date.now() };
    insert.run(row);
    return row;
  });
  return { post: (draft) => message(post.immediate(draft)) };
}

/** The file named on the command line, if any. */
export const file = process.argv[2];

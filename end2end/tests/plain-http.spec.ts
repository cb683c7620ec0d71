// What the chat system with its two functions did, from the first session to the last, by HTTP alone.
import { expect, test } from "../support/test";

test("a whole chat by plain HTTP", async ({ server }) => {
  const v1 = `${server.url}/api/v1`;
  const admin = { authorization: `Bearer ${server.token()}`, "content-type": "application/json" };
  const call = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
    const answer = await fetch(v1 + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  };

  // A session, with what a program keeps beside it.
  const opened = await call("POST", "/conversations", admin, {
    customer_name: "Walnut desk",
    customer_email: "walnut@example.com",
    metadata: { order: 17 },
  });
  expect(opened.status).toBe(201);
  const { id, link } = opened.body;
  expect(opened.body).toMatchObject({ kind: "session", status: "open", metadata: { order: 17 } });
  expect(link).toMatch(new RegExp(`^${server.url}/chat\\?chatId=[0-9a-f-]{36}$`));
  const guest = { ...admin, authorization: `Bearer ${new URL(link).searchParams.get("chatId")}` };

  // All sessions, and this one.
  const listed = await call("GET", "/conversations?status=open", admin);
  expect(listed.body.items.map((item: { id: string }) => item.id)).toContain(id);
  expect((await call("GET", `/conversations/${id}`, admin)).body.customer_email).toBe("walnut@example.com");

  // Both write; the guest's comes twice and is there once.
  const client_id = crypto.randomUUID();
  const first = await call("POST", `/conversations/${id}/messages`, guest, { content: "Is it ready?", client_id });
  const again = await call("POST", `/conversations/${id}/messages`, guest, { content: "Is it ready?", client_id });
  expect([first.status, again.status]).toEqual([201, 200]);
  expect(again.body).toEqual(first.body);
  expect(first.body).toMatchObject({ seq: 1, sender_type: "customer" });
  const answer = await call("POST", `/conversations/${id}/messages`, admin, { content: "On Friday." });
  expect(answer.body).toMatchObject({ seq: 2, sender_type: "admin" });

  // Read, and seen as read.
  expect((await call("GET", `/conversations/${id}`, guest)).body.unread).toBe(1);
  expect((await call("POST", `/conversations/${id}/read`, guest, { seq: 2 })).status).toBe(204);
  expect((await call("GET", `/conversations/${id}`, guest)).body.unread).toBe(0);

  // A file, and what changes afterwards.
  const form = new FormData();
  form.append("file", new Blob(["30 x 40"], { type: "text/plain" }), "size.txt");
  const upload = await fetch(`${v1}/conversations/${id}/attachments`, {
    method: "POST",
    headers: { authorization: guest.authorization },
    body: form,
  });
  expect(upload.status).toBe(201);
  const file = await upload.json();
  const sent = await call("POST", `/conversations/${id}/messages`, guest, { content: "", attachment_ids: [file.id] });
  expect(sent.body.attachments).toEqual([file]);
  const fetched = await fetch(`${v1}/attachments/${file.id}`, { headers: { authorization: admin.authorization } });
  expect(await fetched.text()).toBe("30 x 40");
  expect((await call("PATCH", `/messages/${first.body.id}`, guest, { content: "Is the desk ready?" })).status).toBe(200);
  expect((await call("DELETE", `/messages/${answer.body.id}`, admin)).body.content).toBe("");

  // The messages, what changed since, a search and a transcript.
  const messages = (await call("GET", `/conversations/${id}/messages`, guest)).body;
  expect(messages.items.map((message: { content: string }) => message.content)).toEqual(["Is the desk ready?", "", ""]);
  const changed = (await call("GET", `/conversations/${id}/messages?after_rev=${sent.body.rev}`, guest)).body;
  expect(changed.items.map((message: { seq: number }) => message.seq)).toEqual([1, 2]);
  expect((await call("GET", "/search?q=DESK%20rea", guest)).body.items).toHaveLength(1);
  const transcript = await fetch(`${v1}/conversations/${id}/transcript`, { headers: { authorization: guest.authorization } });
  expect(await transcript.text()).toContain("Is the desk ready?");

  // Closed, reopened, and the link revoked.
  expect((await call("DELETE", `/conversations/${id}`, admin)).body.status).toBe("closed");
  expect((await call("POST", `/conversations/${id}/messages`, guest, { content: "Hello?" })).status).toBe(409);
  expect((await call("PATCH", `/conversations/${id}`, admin, { status: "open" })).body.status).toBe("open");
  expect((await call("POST", `/conversations/${id}/messages`, guest, { content: "Hello!" })).status).toBe(201);
  expect((await call("DELETE", `/conversations/${id}/link`, admin)).status).toBe(204);
  expect((await call("GET", `/conversations/${id}`, guest)).status).toBe(401);
});

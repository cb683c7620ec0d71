import { Api } from "../support/api";
import { Server } from "../support/server";
import { cutOff, expect, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: cutOff });

// Some of these fill a chat first.
test.use({ sends: 100_000 });

test("forty messages typed in turn are in one order on both sides", async ({ api, admin, person }) => {
  const { id, link } = await api.openChat("Long talk");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.all([admin.chat.say(`admin ${turn}`), guest.chat.say(`guest ${turn}`)]);
  }
  await expect(admin.chat.bubbles).toHaveCount(40);
  await expect(guest.chat.bubbles).toHaveCount(40);
  await expect(admin.chat.unconfirmed).toHaveCount(0);
  await expect(guest.chat.unconfirmed).toHaveCount(0);
  const stored = (await api.messages(id)).map((message) => message.content);
  expect(await admin.chat.texts()).toEqual(stored);
  expect(await guest.chat.texts()).toEqual(stored);
  for (const side of ["admin", "guest"]) {
    const own = stored.filter((text) => text.startsWith(side));
    expect(own).toEqual(Array.from({ length: 20 }, (_, turn) => `${side} ${turn}`));
  }
});

test("the server is killed while the customer types on", async ({ api, admin, person, server }) => {
  const { id, link } = await api.openChat("Power cut");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.say("before");
  await expect(admin.chat.message("before")).toBeVisible();

  await server.kill();
  for (let n = 0; n < 5; n += 1) await guest.chat.say(`meanwhile ${n}`);
  await expect(guest.chat.status).toContainText("Reconnecting");
  await expect(guest.chat.unconfirmed).toHaveCount(5);
  await server.run();

  await guest.chat.live();
  await expect(guest.chat.status).toContainText("Live");
  await admin.chat.live();
  const all = ["before", ...Array.from({ length: 5 }, (_, n) => `meanwhile ${n}`)];
  await expect(admin.chat.bubbles).toHaveCount(6);
  expect(await admin.chat.texts()).toEqual(all);
  await expect(guest.chat.unconfirmed).toHaveCount(0);
  expect(await guest.chat.texts()).toEqual(all);
  await expect.poll(async () => (await api.messages(id)).map((message) => message.content)).toEqual(all);
});

test("the disk is full while the customer writes on", async ({ api, admin, person, server }) => {
  test.skip(!Server.canBeFull, "there is no means for it here");
  const { id, link } = await api.openChat("Full disk");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.say("before");
  await expect(admin.chat.message("before")).toBeVisible();

  server.full(true);
  for (const text of ["one", "two"]) await guest.chat.say(text);
  const kept = (count: string) => `The server cannot take messages right now. ${count} will be sent as soon as it can.`;
  await expect(guest.chat.banner).toHaveText(kept("2 messages"));
  await expect(guest.chat.unconfirmed).toHaveCount(2);
  await guest.page.reload();
  await expect(guest.chat.message("before")).toBeVisible();
  await guest.chat.live();
  await expect(guest.chat.banner).toHaveText(kept("2 messages"));
  await guest.chat.say("three");
  await expect(guest.chat.banner).toHaveText(kept("3 messages"));
  await admin.page.reload();
  await admin.chat.live();
  expect(await admin.chat.texts()).toEqual(["before"]);

  server.full(false);
  const all = ["before", "one", "two", "three"];
  await expect(admin.chat.bubbles).toHaveCount(4, { timeout: 20_000 });
  expect(await admin.chat.texts()).toEqual(all);
  await expect(guest.chat.banner).toBeHidden();
  await expect(guest.chat.unconfirmed).toHaveCount(0);
  expect(await guest.chat.texts()).toEqual(all);
  await expect.poll(async () => (await api.messages(id)).map((message) => message.content)).toEqual(all);
});

test("what was typed offline survives a reload and arrives once, in order", async ({ api, person }) => {
  const { id, link } = await api.openChat("On the train");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await guest.context.setOffline(true);
  for (const text of ["one", "two", "three"]) await guest.chat.say(text);
  await expect(guest.chat.unconfirmed).toHaveCount(3);
  await expect(guest.chat.status).toContainText("Offline");

  await guest.page.reload();
  await expect(guest.page.getByText("3 messages")).toBeVisible();
  await guest.context.setOffline(false);
  await guest.chat.live();
  await expect(guest.chat.bubbles).toHaveCount(3);
  await expect(guest.chat.unconfirmed).toHaveCount(0);
  expect(await guest.chat.texts()).toEqual(["one", "two", "three"]);
  await expect.poll(async () => (await api.messages(id)).map((message) => message.content)).toEqual(["one", "two", "three"]);
});

test("after a hundred changes while offline the page is that of a fresh load", async ({ api, person, server }) => {
  const { id, link } = await api.openChat("Long absence");
  const other = Api.guest(server, link);
  const before = [];
  for (let n = 0; n < 10; n += 1) before.push(await api.post(id, `early ${n}`));
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.context.setOffline(true);
  await expect(guest.chat.panel).not.toHaveAttribute("data-live", "true");

  const posted = [...before];
  for (let n = 0; n < 100; n += 1) {
    if (n % 4 === 3) await api.edit(posted[n % 10].id, `edited ${n}`);
    else if (n % 10 === 4) await api.delete(posted[posted.length - 1].id);
    else posted.push(await (n % 2 ? api : other).post(id, `late ${n}`).then((m) => m));
    // Only an author may edit, and the early ones are all the admin's.
  }
  await guest.context.setOffline(false);
  await guest.chat.live();
  const expected = (await api.messages(id)).filter((m) => !m.deleted_at).map((m) => m.content);
  await expect(guest.chat.bubbles).toHaveCount(expected.length);
  const resumed = await guest.chat.texts();
  const deleted = await guest.chat.message("Message deleted").count();

  expect(resumed).toEqual(expected);
  const fresh = await person();
  await fresh.page.goto(link);
  await fresh.chat.live();
  const latest = await fresh.chat.texts();
  expect(resumed.slice(-latest.length)).toEqual(latest);
  expect(deleted).toBeGreaterThan(0);
});

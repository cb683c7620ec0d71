import type { Page } from "@playwright/test";

import { Chat, Inbox } from "../support/chat";
import { Proxy } from "../support/proxy";
import { Server } from "../support/server";
import { cutOff, estranged, expect, refused, test as base } from "../support/test";

/** The server behind a proxy. */
const test = base.extend<{ gateway: Proxy }>({
  gateway: async ({}, use) => {
    const gateway = await Proxy.start();
    await use(gateway);
    gateway.stop();
  },
  server: async ({ gateway }, use) => {
    const server = await Server.start(["--demo", "--public-url", gateway.url]);
    gateway.to(server.url);
    await use(server);
    await server.stop();
  },
});

// What these tests do makes the browser complain.
test.use({ failures: refused(400, 403) });

/** Looks at the page again, which is a good moment for another try. */
const lookAgain = (page: Page) => page.evaluate(() => dispatchEvent(new Event("focus")));

for (const sockets of ["refuse", "swallow", "ignore"] as const) {
  test(`messages go both ways where a proxy would ${sockets} sockets`, async ({ api, person, gateway }) => {
    gateway.sockets = sockets;
    const { id, link } = await api.openChat("Hotel network");
    const { page, chat } = await person();
    await page.goto(link);
    await expect(chat.status).toHaveText("Live (slow)", { timeout: 15_000 });
    await chat.live();
    await expect(chat.banner).toBeHidden();
    for (const text of ["one", "two", "three"]) await chat.say(text);
    await expect(chat.message("three")).toContainText("Sent");
    await chat.choose("two", "Edit");
    await chat.panel.getByLabel("Edit message").fill("deux");
    await chat.panel.getByRole("button", { name: "Save" }).click();
    await expect(chat.message("deux")).toContainText("edited");
    const answer = await api.post(id, "answer");
    await expect(chat.message("answer")).toBeVisible();
    await api.edit(answer.id, "another answer");
    await expect(chat.message("another answer")).toBeVisible();
    expect(await chat.texts()).toEqual(["one", "deux", "three", "another answer"]);
    await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["one", "deux", "three", "another answer"]);

    // What is looked at counts as read, also there.
    await expect(async () => {
      const { unread } = await page.evaluate(async (id) => (await fetch(`/api/v1/conversations/${id}`)).json(), id);
      expect(unread).toBe(0);
    }).toPass();

    // Sockets are tried all the while.
    gateway.sockets = "pass";
    gateway.cut();
    await lookAgain(page);
    await expect(chat.status).toHaveText("Live", { timeout: 25_000 });
    const polls = gateway.asked.filter((path) => path === "/api/exchange").length;
    await chat.say("by socket");
    await expect(chat.message("by socket")).toContainText("Sent");
    expect(gateway.asked.filter((path) => path === "/api/exchange").length).toBeLessThanOrEqual(polls + 1);
    await expect.poll(async () => (await api.messages(id)).map(({ content }) => content).at(-1)).toBe("by socket");
  });
}

test("a proxy that begins to refuse sockets loses nothing", async ({ api, person, gateway }) => {
  const { id, link } = await api.openChat("On the road");
  const { page, chat } = await person();
  await page.goto(link);
  await chat.live();
  await chat.say("before");
  await expect(chat.message("before")).toContainText("Sent");
  gateway.sockets = "refuse";
  gateway.cut();
  for (const text of ["one", "two"]) await chat.say(text);
  await expect(chat.status).toHaveText("Live (slow)", { timeout: 20_000 });
  await expect(chat.unconfirmed).toHaveCount(0);
  await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["before", "one", "two"]);
  expect(await chat.texts()).toEqual(["before", "one", "two"]);
});

test("the list of chats keeps up without a socket", async ({ api, person, gateway, server }) => {
  gateway.sockets = "refuse";
  const { id } = await api.openChat("Slow list");
  const { page } = await person();
  await page.goto(server.link("admin"));
  const inbox = await new Inbox(page).live(15_000);
  await api.post(id, "news of the day");
  await expect(inbox.rows.filter({ hasText: "news of the day" })).toBeVisible();
});

test("the twenty-first window of a person works, and says why it is slow", async ({ api, person }) => {
  const { id, link } = await api.openChat("Many windows");
  const { page, chat, context } = await person();
  await page.goto(link);
  await chat.live();
  // Nineteen more sockets, without the weight of nineteen pages.
  const others = await context.newPage();
  await others.goto(link);
  await others.evaluate(async () => {
    const open = (_: unknown) =>
      new Promise<WebSocket>((done, failed) => {
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`);
        socket.onmessage = () => done(socket);
        socket.onclose = () => failed(new Error("refused"));
      });
    Object.assign(window, { sockets: await Promise.all(Array.from({ length: 18 }, open)) });
  });
  const last = await context.newPage();
  const lastChat = new Chat(last);
  await last.goto(link);
  await expect(lastChat.status).toHaveText("Live (slow)", { timeout: 15_000 });
  await expect(lastChat.banner).toContainText("in many windows");
  await lastChat.say("from the last");
  await expect(chat.message("from the last")).toBeVisible();
  await chat.say("from the first");
  await expect(lastChat.bubbles.filter({ hasText: "from the first" })).toBeVisible();
  await expect.poll(() => api.messages(id)).toHaveLength(2);
  await others.close();
  await lookAgain(last);
  await expect(lastChat.status).toHaveText("Live", { timeout: 25_000 });
  await expect(lastChat.banner).toBeHidden();
});

test.describe("while the browser changes hands", () => {
  // The page may ask while it has no network, or between two sessions.
  test.use({ failures: new RegExp(`${refused(400, 401, 403).source}|${cutOff.source}`) });

  test("what is written in one person's name is not sent in another's by HTTP either", async ({ api, person, gateway, server }) => {
    gateway.sockets = "refuse";
    const { id, link } = await api.openChat("Shared computer");
    const { page, chat, context } = await person();
    await page.goto(link);
    await expect(chat.status).toHaveText("Live (slow)", { timeout: 15_000 });
    await context.setOffline(true);
    await chat.say("mine");
    const other = await context.newPage();
    await context.setOffline(false);
    // The other person signs in before this page is heard again.
    await Promise.all([page.evaluate(() => undefined), other.goto(server.link("admin"))]);
    await expect(estranged(page)).toBeVisible({ timeout: 15_000 });
    for (const { content, sender_type } of await api.messages(id)) {
      expect([content, sender_type]).toEqual(["mine", "customer"]);
    }
  });
});

import { readFile } from "node:fs/promises";

import { Chat, Inbox } from "../support/chat";
import { Server } from "../support/server";
import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(401, 404) });

test("from the first start to a talk", async ({ browser }) => {
  const server = await Server.start([]);
  const adminContext = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const guestContext = await browser.newContext();
  try {
    const admin = await adminContext.newPage();
    await admin.goto(server.link("setup"));
    await admin.getByLabel("Your name").fill("First admin");
    await admin.getByLabel("E-mail").fill("first@example.com");
    await admin.getByLabel("Password").fill("a long enough password");
    await admin.getByRole("button", { name: "Create the account" }).click();
    await expect(admin).toHaveURL(/\/admin/);

    await admin.getByRole("link", { name: "New chat" }).or(admin.getByRole("button", { name: "New chat" })).first().click();
    await admin.getByLabel("Customer’s name").fill("Ash bench");
    await admin.getByRole("button", { name: "Open chat" }).click();
    await expect(admin.getByText("The link is copied", { exact: false })).toBeVisible();
    const link = await admin.evaluate(() => navigator.clipboard.readText());
    expect(link).toContain("/chat?chatId=");
    await admin.getByRole("link", { name: "Go to the chat" }).click();
    const adminChat = await new Chat(admin).live();

    const guest = await guestContext.newPage();
    await guest.goto(link);
    await expect(guest).toHaveURL(/\/chat\/[0-9a-f-]{36}$/);
    const guestChat = await new Chat(guest).live();
    await expect(guestChat.status).toContainText("Live");

    await guestChat.say("Hello, can you make a bench?");
    await expect(adminChat.message("Hello, can you make a bench?")).toBeVisible();
    await adminChat.say("Of course.");
    await expect(guestChat.message("Of course.")).toBeVisible();
    await expect(adminChat.here).toBeVisible();
  } finally {
    await adminContext.close();
    await guestContext.close();
    await server.stop();
  }
});

test("closing stops the customer, reopening lets them go on", async ({ api, admin, person, server }) => {
  const { id, link } = await api.openChat("Walnut tray");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();

  await admin.page.getByRole("button", { name: "Close chat" }).click();
  await expect(guest.chat.closed).toBeVisible();
  await expect(guest.chat.field).toBeHidden();
  await expect(admin.chat.closed).toBeVisible();
  await admin.chat.panel.getByRole("button", { name: "Reopen" }).click();
  await expect(guest.chat.field).toBeVisible();
  await guest.chat.say("One more thing");
  await expect(admin.chat.message("One more thing")).toBeVisible();
  expect(server.url).toContain("127.0.0.1");
});

test("on a phone the dashboard shows the list or a chat, each with a way to the other", async ({ api, person, server }) => {
  const { page, chat } = await person({ phone: true });
  const { id } = await api.openChat("Beech stool");
  await api.post(id, "As high as a knee");
  await page.goto(server.link("admin"));
  const list = new Inbox(page).list;
  await list.getByRole("link", { name: "Beech stool" }).click();
  await chat.live();
  await expect(chat.message("As high as a knee")).toBeVisible();
  await expect(list).toBeHidden();
  await page.getByRole("link", { name: "Back to all chats" }).click();
  await expect(list).toBeVisible();
  await expect(chat.panel).toHaveCount(0);
});

test("an admin saves what was said", async ({ api, admin }) => {
  const { id } = await api.openChat("Elm desk");
  await api.post(id, "Kept for later");
  await admin.page.goto(`/admin?chat=${id}`);
  const saving = admin.page.waitForEvent("download");
  await admin.page.getByRole("link", { name: "Save transcript" }).click();
  const file = await saving;
  expect(file.suggestedFilename()).toMatch(/\.html$/);
  expect(await readFile(await file.path(), "utf8")).toContain("Kept for later");
});

test("a wrong or revoked link is a 404 that tells nothing", async ({ api, admin, person }) => {
  const { id, link } = await api.openChat("Oak shelf");
  const stranger = await person();
  const wrong = await stranger.page.goto("/chat?chatId=00000000-0000-4000-8000-000000000000");
  expect(wrong?.status()).toBe(404);
  const words = await stranger.page.getByRole("main").innerText();

  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.page.getByRole("button", { name: "Revoke link" }).click();
  await expect(guest.chat.panel).not.toHaveAttribute("data-live", "true");
  const revoked = await stranger.page.goto(link);
  expect(revoked?.status()).toBe(404);
  expect(await stranger.page.getByRole("main").innerText()).toBe(words);
});

test("the whole journey at a phone's width", async ({ api, person, server }) => {
  const admin = await person({ phone: true });
  await admin.page.goto(server.link("admin"));
  const { link } = await api.openChat("Cherry box");
  const row = new Inbox(admin.page).row("Cherry box");
  await row.click();
  await admin.chat.live();
  const guest = await person({ phone: true });
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.field.fill("From the phone");
  await guest.chat.send.click();
  await expect(admin.chat.message("From the phone")).toBeVisible();
  for (const { page } of [admin, guest]) {
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(sideways, "nothing scrolls sideways").toBe(false);
  }
  await admin.page.getByRole("link", { name: "Back to all chats" }).click();
  await expect(row).toContainText("From the phone");
});

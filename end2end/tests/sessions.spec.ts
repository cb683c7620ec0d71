// Whose browser this is: links opened at once, registering beside an open chat, no cookies.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { chromium } from "@playwright/test";

import config from "../playwright.config";
import { Chat } from "../support/chat";
import { expect, refused, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: refused(401, 404) });

test("two links opened at the same moment in a new browser both open", async ({ api, person }) => {
  const [one, two] = [await api.openChat("Oak table"), await api.openChat("Brass lamp")];
  const guest = await person();
  const second = await guest.context.newPage();
  // Neither request leaves before both were made, so none brings a cookie.
  let go = () => {};
  const both = new Promise<void>((resolve) => (go = resolve));
  let asked = 0;
  await guest.context.route(/chatId=/, async (route) => {
    if ((asked += 1) === 2) go();
    await both;
    await route.continue();
  });
  await Promise.all([guest.page.goto(one.link), second.goto(two.link)]);
  const chats = [guest.chat, new Chat(second)];
  for (const [n, chat] of chats.entries()) {
    await chat.live();
    await chat.say(`from tab ${n}`);
    await expect(chat.message(`from tab ${n}`).getByText("Sent", { exact: true })).toBeVisible();
    await chat.page.reload();
    await chat.live();
  }
  expect(await guest.context.cookies()).toHaveLength(1);
});

test("a guest who registers in a second tab goes on in the first", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.say("before");
  const cut = guest.page.waitForEvent("websocket");

  const second = await guest.context.newPage();
  await second.goto("/register");
  await second.getByLabel("Your name").fill("Cleo");
  await second.getByLabel("E-mail").fill("cleo@example.com");
  await second.getByLabel("Password").fill("a long enough password");
  await second.getByRole("button", { name: "Create the account" }).click();
  await expect(second).toHaveURL(/\/account$/);

  await cut;
  await guest.chat.live();
  await expect(guest.chat.banner).toBeHidden();
  await guest.chat.say("after");
  await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["before", "after"]);
});

test("a guest whose link is revoked is told so", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak table");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await api.revokeLink(id);
  await expect(guest.chat.banner).toContainText("ask for a new one");
  await expect(guest.chat.panel).toHaveAttribute("data-live", "false");
});

test("a browser that keeps no cookies is told so", async ({ api, server }) => {
  const { link } = await api.openChat("Oak table");
  const profile = mkdtempSync(path.join(tmpdir(), "bespoken-profile-"));
  mkdirSync(path.join(profile, "Default"));
  const preferences = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(path.join(profile, "Default", "Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, { ...config.use?.launchOptions, baseURL: server.url });
  try {
    const page = await context.newPage();
    await page.goto("/register");
    await page.getByLabel("Your name").fill("Cleo");
    await page.getByLabel("E-mail").fill("cleo@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Create the account" }).click();
    await expect(page.getByRole("alert")).toContainText("did not keep the cookie");
    await page.getByLabel("E-mail").fill("cleo@example.com");
    await page.getByLabel("Password").fill("a long enough password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("alert")).toContainText(`Allow cookies for ${new URL(server.url).host}`);
    expect((await page.goto(link))?.status()).toBe(404);
    await expect(page.getByRole("main")).toContainText("Allow cookies for this site, and open the link again");
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
});

test("an address copied to another browser says to open the link", async ({ api, person }) => {
  const { id } = await api.openChat("Oak table");
  const { page } = await person();
  expect((await page.goto(`/chat/${id}`))?.status()).toBe(404);
  await expect(page.getByRole("main")).toContainText("An address from another browser does not work");
});

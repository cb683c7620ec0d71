// Sealed chats: browsers encrypt, and the server has ciphertext.
import type { Page } from "@playwright/test";

import { Inbox } from "../support/chat";
import { cutOff, expect, test, type Person } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: cutOff });

const SEALED = /^[A-Za-z0-9_-]{39,}$/;

/** Opens a sealed chat in the dialog; returns the complete link. */
async function openSealed({ page }: Person, name: string): Promise<{ id: string; link: string }> {
  await page.getByRole("link", { name: "New chat" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Customer’s name").fill(name);
  await dialog.getByLabel(/^Sealed/).check();
  await expect(dialog.getByLabel("First message")).toBeHidden();
  await dialog.getByRole("button", { name: "Open chat" }).click();
  const link = await dialog.getByRole("textbox", { name: "Link to this chat" }).inputValue();
  expect(link).toMatch(/\/chat\?chatId=[0-9a-f-]{36}#k=[A-Za-z0-9_-]{43}$/);
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(link);
  await dialog.getByRole("link", { name: "Go to the chat" }).click();
  await expect(page).toHaveURL(/\/admin\?chat=/);
  return { id: new URL(page.url()).searchParams.get("chat") ?? "", link };
}

/** All that this browser stores for the site, and all that it wrote into its history. */
function stored(page: Page): Promise<string> {
  return page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
}

test("two people talk, and the server has ciphertext", async ({ admin, api, person }) => {
  const { id, link } = await openSealed(admin, "Sealed oak");
  await admin.chat.live();
  const sent: string[] = [];
  const guest = await person();
  guest.page.on("request", (request) => sent.push(request.url(), request.postData() ?? ""));
  guest.page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
  await guest.page.goto(link);
  await guest.chat.live();
  // The key leaves the address, and stays in the browser.
  await expect(guest.page).toHaveURL(new RegExp(`/chat/${id}$`));
  await expect(guest.chat.panel.getByLabel("Message to")).toBeVisible();
  await expect(guest.chat.panel.getByRole("button", { name: "Send files" })).toBeHidden();

  await guest.chat.say("Marmalade, please");
  await expect(admin.chat.message("Marmalade, please")).toBeVisible();
  await expect(guest.chat.message("Marmalade, please")).toContainText(/Sent|Seen/);
  await admin.chat.choose("Marmalade, please", "Reply");
  await expect(admin.chat.panel.getByText("Sealed oak: Marmalade, please")).toBeVisible();
  await admin.chat.say("Two jars?");
  await expect(guest.chat.message("Two jars?").getByRole("link")).toHaveText("Sealed oak: Marmalade, please");

  await guest.chat.choose("Marmalade, please", "Edit");
  const edit = guest.chat.panel.getByLabel("Edit message");
  await expect(edit).toHaveValue("Marmalade, please");
  await edit.fill("Rhubarb, please");
  await edit.press("Enter");
  await expect(admin.chat.message("Rhubarb, please")).toContainText("edited");
  await expect(admin.chat.message("Two jars?").getByRole("link")).toHaveText("Sealed oak: Rhubarb, please");
  await guest.chat.say("And a 🙂");
  await expect(admin.chat.message("And a 🙂")).toBeVisible();
  await guest.chat.choose("And a", "Delete");
  await expect(admin.chat.message("Message deleted")).toBeVisible();

  // A reload has the key from the browser.
  for (const { page, chat } of [guest, admin]) {
    await page.reload();
    await chat.live();
    await expect(chat.message("Two jars?")).toBeVisible();
    expect(await chat.texts()).toEqual(["Rhubarb, please", "Two jars?"]);
  }
  await expect(new Inbox(admin.page).row("Sealed oak")).toContainText("Sealed message");

  for (const { content, deleted_at } of await api.messages(id)) {
    expect(content).toMatch(deleted_at ? /^$/ : SEALED);
  }
  const key = link.split("#k=")[1];
  for (const secret of ["armalade", "hubarb", key]) {
    expect(sent.filter((text) => text.includes(secret))).toEqual([]);
  }
  for (const { page } of [guest, admin]) expect(await stored(page)).not.toMatch(/armalade|hubarb|jars/);
  expect(await guest.page.evaluate(() => history.length)).toBeLessThan(4);
});

test("what is written offline is stored as ciphertext, and sent later", async ({ admin, api, person }) => {
  const { id, link } = await openSealed(admin, "Sealed ash");
  const { page, chat, context } = await person();
  await page.goto(link);
  await chat.live();
  await chat.say("before");
  await expect(chat.message("before")).toContainText(/Sent|Seen/);
  await context.setOffline(true);
  for (const text of ["first", "second", "third"]) await chat.say(text);
  await expect(chat.message("third")).toContainText("Sending…");
  expect(await stored(page)).not.toMatch(/first|second|third/);
  const kept = await page.evaluate(() =>
    Object.entries(localStorage)
      .filter(([name]) => name.startsWith("bespoken:send:"))
      .map(([, value]) => JSON.parse(value).content),
  );
  expect(kept).toHaveLength(3);
  for (const content of kept) expect(content).toMatch(SEALED);
  // The page goes, and what was written stays.
  await context.setOffline(false);
  await page.reload();
  await chat.live();
  await expect.poll(async () => (await api.messages(id)).length).toBe(4);
  await expect(chat.message("third")).toContainText(/Sent|Seen/);
  expect(await chat.texts()).toEqual(["before", "first", "second", "third"]);
  await expect(admin.chat.message("third")).toBeVisible();
});

test("another browser of an admin takes the key from the link", async ({ admin, person, server }) => {
  const { id, link } = await openSealed(admin, "Sealed elm");
  await admin.chat.live();
  await admin.chat.say("For four eyes");
  await expect(admin.chat.about.getByRole("textbox", { name: "Link to this chat" })).toHaveValue(link);

  const { page, chat } = await person();
  await page.goto(server.link("admin"));
  await page.goto(`/admin?chat=${id}`);
  await chat.live();
  const { panel, about } = chat;
  await expect(panel.getByText("This browser does not have the key")).toBeVisible();
  await expect(chat.field).toBeHidden();
  expect(await chat.texts()).toEqual(["Sealed message"]);
  await expect(about.getByText("This browser does not have the key")).toBeVisible();
  await expect(about.getByRole("textbox", { name: "Link to this chat" })).toHaveValue(link.split("#")[0]);

  const field = panel.getByLabel("Complete link or key");
  const unlock = panel.getByRole("button", { name: "Unlock" });
  const wrong = `${link.slice(0, -43)}${"A".repeat(43)}`;
  for (const text of ["hello", link.split("#")[0], wrong]) {
    await field.fill(text);
    await unlock.click();
    await expect(panel.getByText("This key does not open")).toBeVisible();
    await expect(chat.field).toBeHidden();
  }
  await field.fill(link);
  await unlock.click();
  await expect(chat.message("For four eyes")).toBeVisible();
  await expect(chat.field).toBeVisible();
  await expect(about.getByRole("textbox", { name: "Link to this chat" })).toHaveValue(link);
  await chat.say("Now six");
  await expect(admin.chat.message("Now six")).toBeVisible();
  await page.reload();
  await expect(chat.message("Now six")).toBeVisible();

  // A new link has the same key.
  await about.getByRole("button", { name: "New link" }).click();
  const renewed = about.getByRole("textbox", { name: "Link to this chat" });
  await expect(renewed).not.toHaveValue(link);
  await expect(renewed).toHaveValue(new RegExp(`#k=${link.split("#k=")[1]}$`));
});

test("a guest without the key learns what is missing", async ({ admin, person }) => {
  const { link } = await openSealed(admin, "Sealed pine");
  await admin.chat.live();
  await admin.chat.say("Good morning");
  const { page, chat } = await person();
  await page.goto(link.split("#")[0]);
  await expect(chat.panel.getByText("Paste the complete link here")).toBeVisible();
  await expect(chat.field).toBeHidden();
  expect(await chat.texts()).toEqual(["Sealed message"]);
  // Nobody's address replaces a key that fits.
  await page.goto(link);
  await expect(chat.message("Good morning")).toBeVisible();
  await page.goto(`${link.slice(0, -43)}${"A".repeat(43)}`);
  await expect(chat.message("Good morning")).toBeVisible();
  await expect(chat.field).toBeVisible();
  await chat.panel.getByText("Sealed: only people with the complete link").click();
  await expect(chat.panel.getByText("If nobody has it any more, nobody can read the messages")).toBeVisible();
});

test("without JavaScript nothing can be sent by mistake", async ({ admin, person }) => {
  const { link } = await openSealed(admin, "Sealed yew");
  await admin.chat.live();
  await admin.chat.say("Good evening");
  const { page, chat } = await person({ javaScriptEnabled: false });
  await page.goto(link);
  await expect(chat.panel.getByText("needs JavaScript. Without it")).toBeVisible();
  expect(await chat.texts()).toEqual(["Sealed message"]);
  await expect(page.getByRole("textbox")).toHaveCount(0);
  await expect(chat.panel.getByRole("button", { name: /Send/ })).toHaveCount(0);
});

test("a browser without WebCrypto says so", async ({ admin, person }) => {
  const { link } = await openSealed(admin, "Sealed fir");
  const { page, chat } = await person();
  await page.addInitScript(() => Object.defineProperty(Crypto.prototype, "subtle", { value: undefined }));
  await page.goto(link);
  await expect(chat.panel.getByText("needs an address that begins with https")).toBeVisible();
  await expect(chat.field).toBeHidden();
});

test("a browser without a storage keeps the key in the address", async ({ admin, person }) => {
  const { link } = await openSealed(admin, "Sealed birch");
  await admin.chat.live();
  await admin.chat.say("Hello");
  const { page, chat } = await person();
  await page.addInitScript(() => Object.defineProperty(window, "localStorage", { value: undefined }));
  await page.goto(link);
  await expect(chat.message("Hello")).toBeVisible();
  await expect(page).toHaveURL(new RegExp(`#k=${link.split("#k=")[1]}$`));
  await page.reload();
  await expect(chat.message("Hello")).toBeVisible();
  await chat.say("Hello to you");
  await expect(admin.chat.message("Hello to you")).toBeVisible();
});

test("tabs of one browser share what waits, and a chat that was left comes back", async ({ admin, api, person }) => {
  const { id, link } = await openSealed(admin, "Sealed lime");
  await admin.chat.live();
  await admin.chat.say("One");
  await expect(admin.chat.message("One")).toContainText(/Sent|Seen/);
  const plain = await api.openChat("Plain lime");
  await api.post(plain.id, "Nothing to hide");
  await new Inbox(admin.page).row("Plain lime").click();
  await expect(admin.chat.message("Nothing to hide")).toBeVisible();
  await admin.chat.say("Nor here");
  await expect.poll(async () => (await api.messages(plain.id)).at(-1)?.content).toBe("Nor here");
  await new Inbox(admin.page).row("Sealed lime").click();
  await expect(admin.chat.message("One")).toBeVisible();
  await admin.chat.say("Two");
  await expect(admin.chat.message("Two")).toContainText(/Sent|Seen/);

  const { context, page, chat } = await person();
  await page.goto(link);
  await expect(chat.message("Two")).toBeVisible();
  const other = await context.newPage();
  await other.goto(`/chat/${id}`);
  await expect(other.getByText("Two", { exact: true })).toBeVisible();
  await page.bringToFront();
  await chat.say("Three");
  await expect(other.getByText("Three", { exact: true })).toBeVisible();
});

test("a suggested sentence is encrypted too, and a closed chat offers no transcript", async ({ admin, api, person }) => {
  await admin.page.goto("/admin/settings");
  await admin.page.getByLabel("Suggested first sentences").fill("How long does it take?");
  await admin.page.getByRole("button", { name: "Save" }).click();
  await expect(admin.page.getByRole("status").filter({ hasText: "The settings are saved." })).toBeVisible();
  await admin.page.goto("/admin");
  const { id, link } = await openSealed(admin, "Sealed larch");
  const silent = await person({ javaScriptEnabled: false });
  await silent.page.goto(link);
  const name = "How long does it take?";
  await expect(silent.page.getByRole("button", { name })).toHaveCount(0);

  const { page, chat } = await person();
  await page.goto(link);
  await chat.live();
  await chat.field.fill("half a thought");
  await page.getByRole("button", { name }).click();
  await expect(chat.message(name)).toContainText(/Sent|Seen/);
  await expect(chat.field).toHaveValue("half a thought");
  const [message] = await api.messages(id);
  expect(message.content).toMatch(SEALED);
  await page.reload();
  await chat.live();
  await expect(chat.field).toHaveValue("half a thought");
  await api.close(id);
  await expect(chat.closed).toBeVisible();
  await expect(chat.panel.getByText("How was this chat?")).toBeVisible();
  await expect(chat.panel.getByRole("link", { name: "Save transcript" })).toHaveCount(0);
  await expect(admin.chat.about.getByRole("link", { name: "Save transcript" })).toHaveCount(0);
});

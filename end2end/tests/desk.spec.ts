// The dashboard as one page: chats are chosen, searched and left without loading it again.
import type { Page } from "@playwright/test";

import { Api } from "../support/api";
import { Inbox } from "../support/chat";
import { expect, refused, test } from "../support/test";
import { translate } from "../support/translator";

// What these tests do makes the browser complain.
test.use({ failures: refused(422) });

test.use({ sends: 100_000 });

const list = (page: Page) => new Inbox(page).region;
const row = (page: Page, name: string | RegExp) => list(page).getByRole("listitem").getByRole("link", { name });

/** Waits until the list is live, and then notices whether the page is loaded again, or opens another socket. */
async function watched(page: Page): Promise<() => Promise<void>> {
  // The page before may open one as well.
  await page.goto("about:blank");
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await page.goto("/admin");
  await expect(list(page)).toHaveAttribute("data-live", "true");
  await page.evaluate(() => Object.assign(window, { isTheSame: true }));
  return async () => {
    expect(await page.evaluate(() => "isTheSame" in window), "the page was not loaded again").toBe(true);
    expect(sockets, "one socket").toHaveLength(1);
  };
}

test("choosing a chat replaces the chat, not the page", async ({ admin, api }) => {
  const { page, chat } = admin;
  const chats = [];
  for (let n = 0; n < 15; n++) chats.push(await api.openChat(`Chat ${n + 100}`));
  await api.post(chats[3].id, "About the table");
  await api.post(chats[4].id, "About the bench");
  for (let n = 15; n < 30; n++) chats.push(await api.openChat(`Chat ${n + 100}`));
  const isTheSame = await watched(page);

  // In the middle of the list, which stays where it is.
  const scroller = list(page).getByRole("list");
  const bench = row(page, /Chat 104/);
  await bench.evaluate((element) => element.scrollIntoView({ block: "center" }));
  const place = await scroller.evaluate((element) => element.scrollTop);
  expect(place).toBeGreaterThan(0);
  await bench.click();
  await chat.live();
  await expect(page).toHaveURL(new RegExp(`/admin\\?chat=${chats[4].id}`));
  await expect(chat.message("About the bench")).toBeVisible();
  await expect(page).toHaveTitle(/Chat 104 · /);
  await expect(bench).toHaveAttribute("aria-current", "true");
  await expect(bench).toBeFocused();
  await chat.field.fill("half a thought");

  await row(page, /Chat 114/).click();
  await expect(page).toHaveTitle(/Chat 114 · /);
  await chat.live();
  await expect(chat.field).toHaveValue("");
  await expect(chat.message("About the bench")).toHaveCount(0);
  expect(await scroller.evaluate((element) => element.scrollTop), "the list stays").toBe(place);

  await page.goBack();
  await expect(page).toHaveTitle(/Chat 104 · /);
  await expect(chat.message("About the bench")).toBeVisible();
  await expect(chat.field).toHaveValue("half a thought");
  await expect(page.getByRole("complementary", { name: "About this chat" })).toContainText("Chat 104");
  await page.goForward();
  await expect(page).toHaveTitle(/Chat 114 · /);
  await page.goBack();
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Choose a chat" })).toBeVisible();
  await expect(page).toHaveTitle(/^\(\d+\) Chats · /);
  expect(await scroller.evaluate((element) => element.scrollTop)).toBe(place);
  await isTheSame();

  // What is sent from here belongs to the chat that is shown.
  await bench.click();
  await chat.live();
  await chat.field.press("Enter");
  await expect(chat.message("half a thought")).toBeVisible();
  await expect.poll(async () => (await api.messages(chats[4].id)).map((message) => message.content)).toContain("half a thought");
  await isTheSame();
});

test("a chat that was left catches up when it is chosen again", async ({ admin, api }) => {
  const { page, chat } = admin;
  const oak = await api.openChat("Quince tray");
  await api.openChat("Rowan shelf");
  await api.post(oak.id, "first");
  const isTheSame = await watched(page);
  await row(page, /Quince tray/).click();
  await chat.live();
  await row(page, /Rowan shelf/).click();
  await expect(page).toHaveTitle(/Rowan shelf · /);
  await chat.live();
  const second = await api.post(oak.id, "second");
  await api.edit(second.id, "second, edited");
  await row(page, /Quince tray/).click();
  await expect(chat.message("first")).toBeVisible();
  await expect(chat.message("second, edited")).toBeVisible();
  await api.post(oak.id, "third");
  await expect(chat.message("third")).toBeVisible();
  await isTheSame();
});

test("a click that wants a tab of its own gets one", async ({ admin, api }) => {
  const { page } = admin;
  const { id } = await api.openChat("Quince tray");
  await page.goto("/admin");
  await expect(list(page)).toHaveAttribute("data-live", "true");
  const opened = page.context().waitForEvent("page");
  await row(page, /Quince tray/).click({ modifiers: ["ControlOrMeta"] });
  const other = await opened;
  await expect(other).toHaveURL(new RegExp(id));
  await expect(other.getByRole("heading", { name: "Quince tray" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Choose a chat" })).toBeVisible();
});

test("tabs, search, found messages and new chats need no page load", async ({ admin, api, server }) => {
  const { page, chat } = admin;
  const oak = await api.openChat("Quince tray");
  const guest = Api.guest(server, oak.link);
  await guest.post(oak.id, "A walnut tray, as wide as the window");
  for (let n = 1; n <= 60; n++) await guest.post(oak.id, `line ${n}`);
  const isTheSame = await watched(page);

  await row(page, /Quince tray/).click();
  await chat.live();
  await expect(chat.message("line 60")).toBeVisible();
  await list(page).getByRole("link", { name: /Closed/ }).click();
  await expect(list(page)).toContainText("Brass lamp repair");
  await expect(page).toHaveURL(/status=closed/);
  await expect(chat.message("line 60"), "the chat stays").toBeVisible();
  await page.goBack();
  await expect(row(page, /Quince tray/)).toBeVisible();

  const field = page.getByLabel("Search chats and messages");
  await field.fill("walnut");
  await expect(list(page).getByRole("heading", { name: "Messages" })).toBeVisible();
  await row(page, /walnut/).click();
  await expect(chat.message("A walnut tray")).toBeInViewport();
  await expect(chat.message("line 60")).not.toBeInViewport();
  await expect(field).toHaveValue("walnut");
  await expect(page).toHaveURL(/before=1.*q=walnut#m-1$/);
  await page.goBack();
  await expect(chat.message("line 60")).toBeInViewport();
  await field.fill("");
  await expect(list(page).getByRole("heading", { name: "Messages" })).toHaveCount(0);

  await list(page).getByRole("link", { name: "New chat" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Open chat" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await expect(dialog.getByLabel("Customer’s name")).toHaveAttribute("aria-invalid", "true");
  await dialog.getByLabel("Customer’s name").fill("Hazel box");
  await dialog.getByLabel("First message").fill("Good morning");
  await dialog.getByRole("button", { name: "Open chat" }).click();
  await expect(dialog.getByRole("status")).toContainText("The link is copied. Send it to Hazel box");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("/chat?chatId=");
  await dialog.getByRole("link", { name: "Go to the chat" }).click();
  await expect(dialog).toBeHidden();
  await expect(page).toHaveTitle(/Hazel box · /);
  await chat.live();
  await expect(chat.message("Good morning")).toBeVisible();
  await expect(row(page, /Hazel box/)).toHaveAttribute("aria-current", "true");
  await isTheSame();
});

test("on a phone Back leads to the list without a page load", async ({ api, person, server }) => {
  const { page, chat } = await person({ phone: true });
  await api.openChat("Beech stool");
  await page.goto(server.link("admin"));
  const isTheSame = await watched(page);
  await row(page, /Beech stool/).click();
  await chat.live();
  await expect(list(page)).toBeHidden();
  await page.getByRole("link", { name: "Back to all chats" }).click();
  await expect(list(page)).toBeVisible();
  await expect(chat.panel).toHaveCount(0);
  await page.goBack();
  await chat.live();
  await isTheSame();
});

test("with 500 chats the list stays, and shows the one that is open", async ({ admin, api }) => {
  test.slow();
  const { page, chat } = admin;
  const chats = [];
  for (let n = 1; n <= 500; n++) chats.push(await api.openChat(`Chat ${String(n).padStart(3, "0")}`));
  const isTheSame = await watched(page);
  for (let part = 2; part <= 3; part++) {
    await list(page).getByRole("link", { name: "More" }).click();
    await expect(new Inbox(page).rows).toHaveCount(part * 50);
  }
  const far = row(page, /Chat 380/);
  await far.click();
  await chat.live();
  await expect(far).toHaveAttribute("aria-current", "true");
  await expect(far).toBeInViewport();
  await expect(new Inbox(page).rows).toHaveCount(150);
  await isTheSame();

  // Opened by its address, the chat is in the list though its part is not loaded.
  await page.goto(`/admin?chat=${chats[99].id}`);
  await chat.live();
  await expect(row(page, /Chat 100/)).toBeInViewport();
  await expect(row(page, /Chat 100/)).toHaveAttribute("aria-current", "true");
  await expect(new Inbox(page).rows).toHaveCount(51);
  // And it stays there when another one is chosen: nothing moves.
  await row(page, /Chat 500/).click();
  await expect(page).toHaveTitle(/Chat 500/);
  await expect(new Inbox(page).rows).toHaveCount(51);
});

test("the title counts what waits in all open chats, whatever the list shows", async ({ admin, api, server }) => {
  const { page } = admin;
  const [oak, elm] = [await api.openChat("Quince tray"), await api.openChat("Rowan shelf")];
  await page.goto("/admin?status=closed");
  await expect(list(page)).toHaveAttribute("data-live", "true");
  const before = Number((await page.title()).match(/^\((\d+)\)/)?.[1] ?? 0);
  const title = (more: number) => new RegExp(before + more ? `^\\(${before + more}\\) Chats` : "^Chats");
  await Api.guest(server, oak.link).post(oak.id, "one");
  await expect(page).toHaveTitle(title(1));
  await Api.guest(server, elm.link).post(elm.id, "two");
  await Api.guest(server, elm.link).post(elm.id, "three");
  await expect(page).toHaveTitle(title(3));
  await page.getByLabel("Search chats and messages").fill("nothing of this kind");
  await expect(list(page)).toContainText("Nothing found");
  await Api.guest(server, oak.link).post(oak.id, "four");
  await expect(page).toHaveTitle(title(4));
  // Read elsewhere.
  await api.read(oak.id, 2);
  await expect(page).toHaveTitle(title(2));
});

test("rows keep their places while somebody moves among them", async ({ admin, api }) => {
  const { page } = admin;
  const { id } = await api.openChat("Quince tray");
  await api.openChat("Rowan shelf");
  const { id: latest } = await api.openChat("Alder stool");
  await page.goto("/admin");
  await expect(list(page)).toHaveAttribute("data-live", "true");
  // Where the rows lead to, from the first to the last.
  const order = () => new Inbox(page).rows.evaluateAll((rows) => rows.map((row) => row.getAttribute("href")));
  await expect.poll(async () => (await order())[0]).toContain(latest);
  const before = await order();
  const oak = row(page, /Quince tray/);
  const box = await oak.boundingBox();
  if (!box) throw new Error("no row");
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  await api.post(id, "news");
  await expect(oak, "what is new shows").toContainText("news");
  expect(await order(), "where it was").toEqual(before);
  await page.mouse.up();
  await expect(page).toHaveTitle(/Quince tray/);
  await expect.poll(async () => (await order())[0], "a moment later").toContain(id);
  await expect(oak, "though it moved").toBeFocused();
});

test("a translated list still tells what is new", async ({ admin, api, server }) => {
  const { page, chat } = admin;
  const oak = await api.openChat("Quince tray");
  const elm = await api.openChat("Rowan shelf");
  await Api.guest(server, oak.link).post(oak.id, "first");
  await page.goto("/admin");
  await expect(list(page)).toHaveAttribute("data-live", "true");
  await expect(row(page, /Quince tray/)).toContainText("first");
  const open = list(page).getByRole("link", { name: /Open/ });
  const count = Number((await open.innerText()).match(/\d+/)?.[0]);
  await translate(page);
  await expect(row(page, /Quince tray/)).toContainText("«first»");

  await Api.guest(server, oak.link).post(oak.id, "second");
  await expect(row(page, /Quince tray/)).toContainText("second");
  await expect(row(page, /Quince tray/)).not.toContainText("first");
  await expect(row(page, /Quince tray/)).toContainText("2 unread");
  await api.openChat("Alder stool");
  await expect(row(page, /Alder stool/)).toBeVisible();
  await expect(open).toContainText(String(count + 1));
  await row(page, /Rowan shelf/).click();
  await chat.live();
  await expect(page.getByRole("heading", { name: "Rowan shelf" })).toBeVisible();

  await translate(page);
  const about = page.getByRole("complementary", { name: "About this chat" });
  await about.getByRole("button", { name: /Close chat/ }).click();
  await expect(about.getByRole("button", { name: "Reopen chat" })).toBeVisible();
  await expect(about).toContainText("Closed");
  await about.getByRole("button", { name: /New link/ }).click();
  await expect(about.getByLabel("Link to this chat")).not.toHaveValue(elm.link);
  await about.getByRole("button", { name: /Revoke link/ }).click();
  await expect(about).toContainText("There is no link to this chat now.");
  await expect(about.getByRole("button", { name: "Make a link" })).toBeVisible();
});

test("a long name of somebody who is here keeps a phone's page narrow", async ({ api, person, server }) => {
  const { link } = await api.openChat("Bartholomew Featherstonehaugh-Cholmondeley of Whitehaven and Upper Slaughter");
  const guest = await person({ phone: true });
  await guest.page.goto(link);
  await guest.chat.live();
  const admin = await person({ phone: true });
  await admin.page.goto(server.link("admin"));
  await expect(row(admin.page, /Bartholomew .*, here now/)).toBeVisible();
  const width = await admin.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBe(360);
});

test("Arabic and Hebrew names and previews are in their own order, on the side of the others", async ({ admin, api }) => {
  const { page } = admin;
  const { id } = await api.openChat("دار الخشب 5");
  await api.post(id, "שלום table!");
  await page.goto("/admin");
  const entry = row(page, /دار الخشب 5/);
  for (const text of ["دار الخشب 5", "שלום table!"]) {
    const shown = entry.getByText(text);
    await expect(shown).toHaveCSS("direction", "rtl");
    await expect(shown).toHaveCSS("text-align", "left");
  }
});

test("a chat that is replaced is left once", async ({ admin, api }) => {
  const [first, second] = [await api.openChat("Oak one"), await api.openChat("Elm two")];
  const sent: string[] = [];
  admin.page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
  await admin.page.goto(`/admin?chat=${first.id}`);
  await admin.chat.live();
  await admin.page.getByRole("link", { name: /Elm two/ }).click();
  await expect(admin.page.getByRole("heading", { name: "Elm two" })).toBeVisible();
  await admin.chat.live();
  await expect.poll(() => sent.filter((frame) => frame.includes("leaveRequest")).length).toBe(1);
  expect(sent.find((frame) => frame.includes("leaveRequest"))).toContain(first.id);
  expect(second.id).not.toBe(first.id);
});

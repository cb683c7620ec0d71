import { translate } from "../support/translator";
import { cutOff, expect, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: cutOff });

// Some of these fill a chat first.
test.use({ sends: 100_000 });

test("addresses are links after any character that is no letter of theirs", async ({ api, person }) => {
  const { id, link } = await api.openChat("Elm shelf");
  const address = "https://a.example/x";
  for (const before of ["看", "👉", "→", "„", "see\u00a0"]) await api.post(id, `${before}${address}“`);
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  const links = guest.chat.bubbles.getByRole("link");
  await expect(links).toHaveCount(5);
  for (const found of await links.all()) {
    await expect(found).toHaveText(address);
    await expect(found).toHaveAttribute("href", address);
  }
});

test("Hebrew and Arabic run from the right in an English page", async ({ api, person }) => {
  const { id, link } = await api.openChat("عمر");
  await api.post(id, "مرحبا 5 طاولات!");
  await api.post(id, "שולחן Oak אחד");
  await api.post(id, "An oak table.");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  // Where the first character stands tells the direction: at the right end of its line, or at the left one.
  const starts = (text: string) =>
    guest.chat.bubbles.filter({ hasText: text }).evaluate((bubble, wanted) => {
      const walker = document.createTreeWalker(bubble, NodeFilter.SHOW_TEXT);
      let node = walker.nextNode();
      while (node && !node.textContent?.includes(wanted)) node = walker.nextNode();
      const place = (at: number) => {
        const range = document.createRange();
        range.setStart(node!, at);
        range.setEnd(node!, at + 1);
        return range.getBoundingClientRect().left;
      };
      return place(0) > place(wanted.length - 1) ? "right" : "left";
    }, text);
  expect(await starts("مرحبا 5 طاولات!")).toBe("right");
  expect(await starts("שולחן Oak אחד")).toBe("right");
  expect(await starts("An oak table.")).toBe("left");
  await guest.chat.field.fill("مرحبا!");
  expect(await guest.chat.field.evaluate((field) => getComputedStyle(field).direction)).toBe("rtl");

  // In a sentence, the name keeps its place.
  const admin = await person();
  await admin.page.goto((await api.openChat("שרה")).link);
  await admin.chat.live();
  await expect(admin.page.getByText("can read this chat")).toBeVisible();
});

test("the Esc that ends an input method's word leaves the edit alone", async ({ api, person }) => {
  const guest = await person();
  await guest.page.goto((await api.openChat("Ash box")).link);
  await guest.chat.live();
  await guest.chat.say("a box");
  await expect(guest.chat.message("a box")).toContainText("Sent");
  await guest.chat.field.press("ArrowUp");
  const edit = guest.chat.panel.getByLabel("Edit message");
  await edit.fill("a boks");
  await edit.dispatchEvent("keydown", { key: "Escape", isComposing: true, bubbles: true });
  await edit.dispatchEvent("keydown", { key: "Escape", keyCode: 229, bubbles: true });
  await expect(edit).toHaveValue("a boks");
  await edit.press("Escape");
  await expect(edit).toHaveCount(0);
});

test("on a tablet Enter makes a line, Ctrl and Enter send, and a keyboard's Enter sends too", async ({ api, browser, server }) => {
  const { link } = await api.openChat("Pine rack");
  const context = await browser.newContext({ baseURL: server.url, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await page.goto(link);
  const field = page.getByLabel(/^Message to/);
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await field.pressSequentially("one");
  await field.press("Enter");
  await expect(field).toHaveValue("one\n");
  await field.press("Control+Enter");
  await expect(page.getByRole("log").getByText("one")).toBeVisible();
  // Nobody holds Ctrl on a keyboard that the screen shows.
  await field.pressSequentially("two");
  await field.press("Enter");
  await expect(page.getByRole("log").getByText("two")).toBeVisible();
  await context.close();
});

test("what I wrote stays when somebody deletes the message that I am changing", async ({ api, admin, person }) => {
  const { id, link } = await api.openChat("Yew bow");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.say("a long bow");
  await expect(guest.chat.message("a long bow")).toContainText("Sent");
  await guest.chat.field.press("ArrowUp");
  await guest.chat.panel.getByLabel("Edit message").fill("a very long bow");

  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  await admin.chat.choose("a long bow", "Delete");
  await expect(guest.chat.panel.getByText("Message deleted")).toBeVisible();
  await expect(guest.chat.field).toHaveValue("a very long bow");
  await expect(guest.chat.panel.getByRole("alert")).toContainText("kept as a draft");
  await expect(guest.chat.field).toBeFocused();
});

test("the focus stays in the chat after Delete", async ({ api, person }) => {
  const guest = await person();
  await guest.page.goto((await api.openChat("Fir bed")).link);
  await guest.chat.live();
  await guest.chat.say("delete me");
  await expect(guest.chat.message("delete me")).toContainText("Sent");
  await guest.chat.choose("delete me", "Delete");
  await expect(guest.chat.panel.getByText("Message deleted")).toBeVisible();
  await expect(guest.chat.panel.getByRole("log")).toBeFocused();
});

test("paper shows every message that the chat has loaded", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak door");
  for (let n = 1; n <= 30; n++) await api.post(id, `line ${n} of a chat that is longer than a page`);
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.page.emulateMedia({ media: "print" });
  const log = guest.page.getByRole("log");
  expect(await log.evaluate((log) => log.scrollHeight - log.clientHeight)).toBeLessThanOrEqual(1);
  const [first, last] = [guest.chat.message("line 1 of"), guest.chat.message("line 30 of")];
  const [top, bottom] = [await first.boundingBox(), await last.boundingBox()];
  expect(bottom!.y).toBeGreaterThan(top!.y);
  await expect(guest.chat.field).toBeHidden();
});

test("whatever changes shows after a page translator has been at work", async ({ api, admin, person }) => {
  const { id, link } = await api.openChat("Birch mug");
  const { id: first } = await api.post(id, "the first text");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.say("my own text");
  await expect(guest.chat.message("my own text")).toContainText("Sent");
  await translate(guest.page);

  await api.edit(first, "the second text");
  await expect(guest.chat.bubbles.first()).toContainText("the second text");
  await expect(guest.chat.messages.first()).toContainText("edited");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  await admin.page.bringToFront();
  await expect(guest.chat.message("my own text")).toContainText("Seen");
  await expect(guest.chat.panel).toContainText(/is here|are here/);
  await admin.chat.field.pressSequentially("hello");
  await expect(guest.chat.panel).toContainText("is typing");
  await admin.chat.field.press("Enter");
  await expect(guest.chat.message("hello")).toBeVisible();
  await translate(guest.page);
  await api.delete(first);
  await expect(guest.chat.panel).toContainText("Message deleted");
  await guest.chat.choose("my own text", "Edit");
  await guest.chat.panel.getByLabel("Edit message").fill("my new text");
  await guest.chat.panel.getByRole("button", { name: "Save" }).click();
  await expect(guest.chat.bubbles.filter({ hasText: "my new text" })).toBeVisible();
  await guest.context.setOffline(true);
  await expect(guest.chat.status).toContainText("Offline");
  await guest.chat.say("from offline");
  await expect(guest.chat.banner).toContainText("1 message will be sent");
  await translate(guest.page);
  await guest.context.setOffline(false);
  await expect(guest.chat.status).toContainText("Live");
  // An admin has this chat open.
  await expect(guest.chat.message("from offline")).toContainText(/Sent|Seen/);
});

test("earlier messages and local times are not announced as new", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak beam");
  for (let n = 1; n <= 60; n++) await api.post(id, `line ${n}`);
  const guest = await person();
  // What is added to the log while it is not busy is what a screen reader tells.
  await guest.page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(window, { told });
    new MutationObserver((changes) => {
      for (const change of changes) {
        const target = change.target instanceof Element ? change.target : change.target.parentElement;
        const log = target?.closest("[role=log]");
        if (!log || log.getAttribute("aria-busy") === "true") continue;
        for (const node of change.addedNodes) if (node.textContent?.trim()) told.push(node.textContent);
      }
    }).observe(document, { childList: true, subtree: true });
  });
  await guest.page.goto(link);
  await guest.chat.live();
  await expect(guest.page.getByRole("log")).not.toHaveAttribute("aria-busy", "true");
  await guest.page.evaluate(() => (window as unknown as { told: string[] }).told.splice(0));
  await guest.page.getByRole("log").evaluate((log) => log.scrollTo(0, -log.scrollHeight));
  await expect(guest.page.getByText("can read this chat")).toBeVisible();
  await api.post(id, "something new");
  await expect(guest.page.getByText("something new")).toBeAttached();
  const told = await guest.page.evaluate(() => (window as unknown as { told: string[] }).told);
  expect(told.join("\n")).toContain("something new");
  expect(told.filter((text) => /line \d/.test(text))).toEqual([]);
});

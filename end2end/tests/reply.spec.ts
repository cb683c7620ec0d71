import type { Locator } from "@playwright/test";

import { Chat } from "../support/chat";
import { cutOff, expect, test } from "../support/test";

test.use({ sends: 100_000 });

/** The quote above a message. */
const quote = (message: Locator) => message.getByRole("link").first();

test("a reply shows what it replies to, as it is now", async ({ admin, api, person }) => {
  const { id, link } = await api.openChat("Walnut bed");
  await api.post(id, "Which height?");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();

  await guest.chat.choose("Which height?", "Reply");
  await expect(guest.chat.field).toBeFocused();
  const chosen = guest.chat.panel.getByRole("button", { name: "Do not reply to this message" });
  await chosen.click();
  await expect(chosen).toBeHidden();
  await guest.chat.choose("Which height?", "Reply");
  await guest.chat.say("45 cm");
  await expect(chosen).toBeHidden();
  await guest.chat.say("And the width?");
  for (const { chat } of [admin, guest]) {
    await expect(quote(chat.message("45 cm"))).toContainText("Which height?");
    await expect(chat.message("And the width?").getByRole("link")).toHaveCount(0);
  }

  await admin.chat.choose("Which height?", "Edit");
  await admin.chat.panel.getByLabel("Edit message").fill("Which seat height?");
  await admin.page.keyboard.press("Enter");
  for (const { chat } of [admin, guest]) await expect(quote(chat.message("45 cm"))).toContainText("Which seat height?");
  await admin.chat.choose("Which seat height?", "Delete");
  for (const { chat } of [admin, guest]) await expect(quote(chat.message("45 cm"))).toContainText("Message deleted");
  await guest.page.reload();
  await expect(quote(guest.chat.message("45 cm"))).toContainText("Message deleted");
});

test.describe("without a network", () => {
  test.use({ failures: cutOff });

  test("a reply written while offline is sent as a reply", async ({ api, person }) => {
    const { id, link } = await api.openChat("Oak stool");
    await api.post(id, "Three legs or four?");
    const guest = await person();
    await guest.page.goto(link);
    await guest.chat.live();
    await guest.page.context().setOffline(true);
    await guest.chat.choose("Three legs or four?", "Reply");
    await guest.chat.say("Three");
    await expect(quote(guest.chat.message("Three").last())).toContainText("Three legs or four?");
    await guest.page.context().setOffline(false);
    await expect(guest.chat.unconfirmed).toHaveCount(0);
    const last = (await api.messages(id)).at(-1);
    expect(last).toMatchObject({ content: "Three", reply_to: { seq: 1, excerpt: "Three legs or four?" } });
  });
});

test("keys and a swipe choose a message, and its quote leads to it", async ({ api, browser, person, server }) => {
  const { id, link } = await api.openChat("Beech bench");
  await api.post(id, "The first of many");
  for (let n = 0; n < 70; n++) await api.post(id, `Message ${n}`);
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  const bar = guest.chat.panel.getByRole("button", { name: "Do not reply to this message" });
  await guest.chat.field.press("Alt+ArrowUp");
  await guest.chat.field.press("Alt+ArrowUp");
  await expect(bar).toBeVisible();
  await guest.chat.field.press("Escape");
  await expect(bar).toBeHidden();
  await guest.chat.field.press("Alt+ArrowUp");
  await guest.chat.field.press("Alt+ArrowUp");
  await guest.chat.say("By the keyboard");
  await expect(quote(guest.chat.message("By the keyboard"))).toContainText("Message 68");

  // An answer to a message that this page has not loaded.
  const [first] = await api.messages(id);
  await api.post(id, "To the first", first?.id);
  await quote(guest.chat.message("To the first")).click();
  await expect(guest.chat.message("The first of many")).toBeInViewport();

  const phone = await browser.newContext({ baseURL: server.url, hasTouch: true, viewport: { width: 360, height: 640 } });
  const page = await phone.newPage();
  await page.goto(link);
  const chat = await new Chat(page).live();
  const row = chat.message("Message 69");
  const swipe = (dx: number, dy: number) =>
    row.evaluate(
      (row, [dx, dy]) => {
        const at = (x: number, y: number) => new Touch({ identifier: 1, target: row, clientX: x, clientY: y });
        const start = at(100, 300);
        const end = at(100 + dx, 300 + dy);
        row.dispatchEvent(new TouchEvent("touchstart", { bubbles: true, touches: [start], changedTouches: [start] }));
        row.dispatchEvent(new TouchEvent("touchend", { bubbles: true, changedTouches: [end] }));
      },
      [dx, dy],
    );
  const chosen = chat.panel.getByRole("button", { name: "Do not reply to this message" });
  await swipe(30, 0);
  await swipe(100, 90);
  await expect(chosen).toBeHidden();
  await swipe(100, 10);
  await expect(chosen).toBeVisible();
  await phone.close();
});

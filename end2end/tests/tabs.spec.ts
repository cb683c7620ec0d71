import { Chat } from "../support/chat";
import { cutOff, expect, test } from "../support/test";

// What these tests do makes the browser complain.
test.use({ failures: cutOff });

test("two tabs share one draft", async ({ api, person }) => {
  const { id, link } = await api.openChat("Two tabs");
  const first = await person();
  await first.page.goto(link);
  await first.chat.live();
  const second = new Chat(await first.context.newPage());
  await second.page.goto(link);
  await second.live();

  await first.chat.field.fill("is it ready");
  await expect(second.field).toHaveValue("is it ready");
  await second.field.fill("is it ready yet?");
  await expect(first.chat.field).toHaveValue("is it ready yet?");
  await second.field.press("Enter");
  await expect(first.chat.field).toHaveValue("");
  await expect(first.chat.message("is it ready yet?")).toBeVisible();
  await first.page.reload();
  await first.chat.live();
  await expect(first.chat.field).toHaveValue("");
  await expect.poll(() => api.messages(id)).toHaveLength(1);
});

test("two tabs share one outbox, and each message is sent once", async ({ api, person }) => {
  const { id, link } = await api.openChat("Two tabs");
  const { page, chat, context } = await person();
  await page.goto(link);
  await chat.live();
  const second = new Chat(await context.newPage());
  await second.page.goto(link);
  await second.live();
  await context.setOffline(true);
  for (const text of ["one", "two"]) await chat.say(text);
  await second.say("three");
  for (const tab of [chat, second]) await expect(tab.unconfirmed).toHaveCount(3);
  await context.setOffline(false);
  for (const tab of [chat, second]) {
    await tab.live();
    await expect(tab.unconfirmed).toHaveCount(0);
    await expect(tab.bubbles).toHaveCount(3);
  }
  const stored = (await api.messages(id)).map(({ content }) => content);
  expect(stored.filter((text) => text !== "three")).toEqual(["one", "two"]);
  expect(stored).toHaveLength(3);
  expect(await chat.texts()).toEqual(stored);
  expect(await second.texts()).toEqual(stored);
});

test("what a tab leaves behind when it is closed, the other sends", async ({ api, person }) => {
  const { id, link } = await api.openChat("Closed tab");
  const { page, chat, context } = await person();
  await page.goto(link);
  await chat.live();
  const second = new Chat(await context.newPage());
  await second.page.goto(link);
  await second.live();
  await context.setOffline(true);
  for (const text of ["one", "two"]) await chat.say(text);
  await expect(second.unconfirmed).toHaveCount(2);
  await page.close();
  await context.setOffline(false);
  await second.live();
  await expect(second.unconfirmed).toHaveCount(0, { timeout: 20_000 });
  await expect.poll(async () => (await api.messages(id)).map(({ content }) => content)).toEqual(["one", "two"]);
  await second.page.reload();
  await second.live();
  expect(await second.texts()).toEqual(["one", "two"]);
});

test("what is discarded in one tab is gone in the other, and stays gone", async ({ admin, api, person }) => {
  const { id, link } = await api.openChat("Discarded");
  const { page, chat, context } = await person();
  await page.goto(link);
  await chat.live();
  const second = new Chat(await context.newPage());
  await second.page.goto(link);
  await second.live();
  await context.setOffline(true);
  await chat.say("never mind");
  await expect(second.unconfirmed).toHaveCount(1);
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.about.getByRole("button", { name: "Close chat" }).click();
  await expect(admin.chat.panel).toContainText("This chat was closed");
  await context.setOffline(false);
  for (const tab of [chat, second]) await expect(tab.refused).toHaveCount(1);
  await chat.refused.getByRole("button", { name: "Delete" }).click();
  for (const tab of [chat, second]) await expect(tab.refused).toHaveCount(0);
  for (const tab of [chat, second]) {
    await tab.page.reload();
    await expect(tab.panel).toContainText("This chat was closed");
    await expect(tab.bubbles).toHaveCount(0);
  }
  expect(await api.messages(id)).toEqual([]);
});

import { Inbox, unread } from "../support/chat";
import { expect, test } from "../support/test";

// Some of these fill a chat first.
test.use({ sends: 100_000 });

test("two dashboards show a new chat and its unread count without a reload", async ({ api, admin, person, server }) => {
  const second = await person();
  await second.page.goto(server.link("admin"));
  const inboxes = [new Inbox(admin.page), new Inbox(second.page)];
  for (const inbox of inboxes) await expect(inbox.row("Oak table enquiry")).toBeVisible();
  for (const inbox of inboxes) await inbox.live();

  const { link } = await api.openChat("Elm stool");
  for (const inbox of inboxes) await expect(inbox.row("Elm stool")).toBeVisible();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.say("first");
  await guest.chat.say("second");
  for (const inbox of inboxes) {
    await expect(unread(inbox.row("Elm stool"))).toContainText("2 unread");
    await expect(inbox.row("Elm stool")).toContainText("second");
    await expect(inbox.rows.first()).toContainText("Elm stool");
  }
});

test("an edit, a delete, typing and Seen appear on the other side", async ({ api, admin, person }) => {
  const { id, link } = await api.openChat("Maple spoon");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();

  await guest.chat.field.pressSequentially("I am thinking");
  await expect(admin.chat.typing).toBeVisible();
  await guest.chat.field.fill("");
  await guest.chat.say("a spoom");
  await expect(admin.chat.typing).toHaveCount(0);
  await admin.page.bringToFront();
  await expect(guest.chat.message("a spoom").getByText(/^Seen \d\d:\d\d$/)).toBeVisible();

  // The arrow takes the last own message, Escape leaves it as it was.
  await guest.chat.field.press("ArrowUp");
  const edit = guest.chat.panel.getByLabel("Edit message");
  await expect(edit).toHaveValue("a spoom");
  await edit.press("Escape");
  await expect(edit).toHaveCount(0);
  await guest.chat.field.press("ArrowUp");
  await edit.fill("a spoon");
  await edit.press("Enter");
  await expect(admin.chat.bubbles.filter({ hasText: "a spoon" })).toBeVisible();
  await expect(admin.chat.bubbles.filter({ hasText: "a spoom" })).toHaveCount(0);
  await expect(admin.chat.message("a spoon").getByText("edited", { exact: true })).toBeVisible();

  await guest.chat.choose("a spoon", "Delete");
  await expect(admin.chat.message("Message deleted")).toBeVisible();
  await expect(admin.chat.bubbles).toHaveCount(0);
});

test("Shift and Enter break the line, drafts stay, scripts stay text", async ({ api, person }) => {
  const { link } = await api.openChat("Draft");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await guest.chat.field.fill("line one");
  await guest.chat.field.press("Shift+Enter");
  await guest.chat.field.pressSequentially("line two");
  await guest.page.reload();
  await guest.chat.live();
  await expect(guest.chat.field).toHaveValue("line one\nline two");
  await guest.chat.field.press("Enter");
  await expect(guest.chat.field).toHaveValue("");
  await expect(guest.chat.bubbles.first()).toContainText("line two");
  await guest.chat.say("<img src=x onerror=alert(1)> https://example.com/a?b=c.");
  await expect(guest.chat.bubbles.last()).toContainText("<img src=x onerror=alert(1)>");
  await expect(guest.chat.bubbles.last().getByRole("link")).toHaveAttribute("href", "https://example.com/a?b=c");
  await guest.page.reload();
  await guest.chat.live();
  await expect(guest.chat.field).toHaveValue("");
});

test("older messages come on the way up and the place stays", async ({ api, person }) => {
  const { id, link } = await api.openChat("History");
  for (let n = 1; n <= 130; n += 1) await api.post(id, `message ${n}`);
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  const { log } = guest.chat;
  await expect(guest.chat.bubbles).toHaveCount(50);
  const before = guest.chat.message("message 85");
  await before.scrollIntoViewIfNeeded();
  await log.evaluate((el) => el.scrollTo({ top: -(el.scrollHeight - el.clientHeight) }));
  await expect.poll(() => guest.chat.bubbles.count()).toBeGreaterThan(50);
  await log.evaluate((el) => el.scrollTo({ top: -(el.scrollHeight - el.clientHeight) }));
  await expect(guest.chat.bubbles).toHaveCount(130);
  await api.post(id, "the newest");
  const jump = guest.chat.panel.getByRole("button", { name: "Go to the latest message" });
  await expect(jump).toContainText("1");
  await jump.click();
  await expect(guest.chat.message("the newest")).toBeInViewport();
  await expect(jump).toBeHidden();
});

import type { Page } from "@playwright/test";

import { entry, makeRequest, register } from "../support/account";
import { expect, test } from "../support/test";

/** The stars under a closed chat. */
const star = (page: Page, score: number) =>
  page.getByRole("group", { name: /^(How was this chat|Thank you for your rating)/ }).getByRole("button", { name: `${score} of 5 stars` });

test("a customer rates a closed chat, and the admin sees it", async ({ admin, api, person }) => {
  const { id, link } = await api.openChat("Walnut bed");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.live();
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await expect(star(guest.page, 4)).toBeHidden();

  await admin.chat.about.getByRole("button", { name: "Close chat" }).click();
  await expect(guest.chat.closed).toBeVisible();
  await guest.page.getByLabel("Comment (optional)").fill("Quick and friendly");
  await star(guest.page, 4).click();
  await expect(guest.page.getByText("Thank you for your rating.")).toBeVisible();
  await expect(star(guest.page, 4)).toHaveAttribute("aria-pressed", "true");
  await expect(guest.page.getByLabel("Comment (optional)")).toHaveValue("Quick and friendly");
  await expect(admin.chat.about.getByRole("img", { name: "4 of 5 stars" })).toBeVisible();
  await expect(admin.chat.about).toContainText("Quick and friendly");

  await star(guest.page, 5).click();
  await expect(admin.chat.about.getByRole("img", { name: "5 of 5 stars" })).toBeVisible();
  await admin.page.reload();
  await expect(admin.chat.about).toContainText("Quick and friendly");
});

test("a customer saves the transcript of a closed chat", async ({ api, person }) => {
  const { id, link } = await api.openChat("Oak stool");
  await api.post(id, "Three legs");
  await api.close(id);
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  const [file] = await Promise.all([
    guest.page.waitForEvent("download"),
    guest.page.getByRole("link", { name: "Save transcript" }).click(),
  ]);
  expect(file.suggestedFilename()).toBe(`chat-${id}.html`);
  await expect(guest.page.getByRole("button", { name: "E-mail me the transcript" })).toHaveCount(0);
});

test("a chat that the browser renders itself has the same forms", async ({ admin, person }) => {
  const { page, chat } = await person();
  await register(page, "Closed Customer");
  const address = await makeRequest(page, "Pear wood box");
  await page.getByRole("button", { name: "Chat with Admin" }).click();
  await chat.live();
  await admin.page.goto(`${address}?chat=1`);
  const id = await chat.panel.getAttribute("data-conversation");
  await admin.page.goto(`/admin?chat=${id}`);
  await admin.chat.about.getByRole("button", { name: "Close chat" }).click();

  await page.goto("/account");
  await entry(page, "Pear wood box").getByRole("link", { name: "Chat" }).click();
  await chat.live();
  await star(page, 2).click();
  await expect(page.getByText("Thank you for your rating.")).toBeVisible();
  expect(new URL(page.url()).pathname).toBe("/account");
  await expect(admin.chat.about.getByRole("img", { name: "2 of 5 stars" })).toBeVisible();
  // The server of these tests sends no mail.
  await expect(page.getByRole("button", { name: "E-mail me the transcript" })).toHaveCount(0);
});

test("a closed chat is rated without JavaScript", async ({ api, person }) => {
  const { id, link } = await api.openChat("Elm shelf");
  await api.close(id);
  const { page } = await person({ javaScriptEnabled: false, phone: true });
  await page.goto(link);
  await page.getByLabel("Comment (optional)").fill("Thank you");
  await star(page, 5).click();
  await expect(page.getByText("Thank you for your rating.")).toBeVisible();
  await expect(page.getByLabel("Comment (optional)")).toHaveValue("Thank you");
});

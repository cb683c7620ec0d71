import { expect, test } from "../support/test";

test("an admin welcomes customers and suggests first sentences", async ({ admin, api, person }) => {
  const { page } = admin;
  await page.getByText("Workshop").first().click();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByLabel("Name of the business").fill("Elm & Oak");
  await page.getByLabel("Welcome text").fill("Welcome to our workshop!");
  await page.getByLabel("Suggested first sentences").fill("How long does it take?\nWhat does it cost?");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("status").filter({ hasText: "The settings are saved." })).toBeVisible();

  const { id, link } = await api.openChat("Walnut bed");
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await expect(guest.page).toHaveTitle(/Elm & Oak/);
  await expect(guest.chat.log).toContainText("Welcome to our workshop!");
  const suggestion = guest.chat.log.getByRole("button", { name: "What does it cost?" });
  const before = guest.page.url();
  await suggestion.click();
  await expect(guest.chat.message("What does it cost?")).toContainText("Sent");
  await expect(suggestion).toBeHidden();
  expect(guest.page.url()).toBe(before);
  expect((await api.messages(id)).map((message) => message.content)).toEqual(["What does it cost?"]);
});

test("a suggestion is sent without JavaScript", async ({ admin, api, person }) => {
  await admin.page.goto("/admin/settings");
  await admin.page.getByLabel("Suggested first sentences").fill("How long does it take?");
  await admin.page.getByRole("button", { name: "Save" }).click();
  const { id, link } = await api.openChat("Oak stool");
  const { page, chat } = await person({ javaScriptEnabled: false });
  await page.goto(link);
  const suggestion = page.getByRole("button", { name: "How long does it take?" });
  await suggestion.click();
  await expect(chat.message("How long does it take?")).toBeVisible();
  await expect(suggestion).toBeHidden();
  expect(await api.messages(id)).toHaveLength(1);
});

test("a customer reopens a closed chat by writing", async ({ admin, api, person }) => {
  await admin.page.goto("/admin/settings");
  await admin.page.getByLabel("A customer who writes in a closed chat reopens it.").check();
  await admin.page.getByRole("button", { name: "Save" }).click();
  await expect(admin.page.getByLabel("A customer who writes in a closed chat reopens it.")).toBeChecked();
  const { id, link } = await api.openChat("Elm shelf");
  await api.post(id, "It is ready.");
  await api.close(id);
  const guest = await person();
  await guest.page.goto(link);
  await guest.chat.live();
  await expect(guest.chat.closed).toBeVisible();
  await guest.chat.say("One more thing");
  await expect(guest.chat.message("One more thing")).toContainText("Sent");
  await expect(guest.chat.closed).toBeHidden();
  await admin.page.goto(`/admin?chat=${id}`);
  await expect(admin.chat.about.getByText("Open", { exact: true })).toBeVisible();
});
